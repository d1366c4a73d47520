import { readFile } from 'fs/promises';
import { join } from 'path';
import { NextResponse } from 'next/server';

const VERSION = /^\d{1,3}\.\d{1,3}$/;

export async function GET(request: Request) {
  const { searchParams } = new URL(request.url);
  const version = searchParams.get('version') ?? '';
  if (!VERSION.test(version)) {
    return NextResponse.json({ error: 'unknown version' }, { status: 404 });
  }
  const file = join(process.cwd(), 'content', 'changelog', `${version}.md`);

  try {
    const markdown = await readFile(file, 'utf8');
    return NextResponse.json({ version, markdown });
  } catch {
    return NextResponse.json({ error: 'not found' }, { status: 404 });
  }
}
