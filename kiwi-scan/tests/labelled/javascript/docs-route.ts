import { readFile } from 'fs/promises';
import { NextResponse } from 'next/server';

export async function GET(request: Request) {
  const { searchParams } = new URL(request.url);
  const page = searchParams.get('page') || 'index';
  const file = `${process.cwd()}/content/${page}.md`;

  try {
    const markdown = await readFile(file, 'utf8');
    return NextResponse.json({ page, markdown });
  } catch {
    return NextResponse.json({ error: 'not found' }, { status: 404 });
  }
}
