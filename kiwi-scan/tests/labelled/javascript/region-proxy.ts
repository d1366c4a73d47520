import { NextRequest, NextResponse } from 'next/server';

const TOKEN = process.env.METRICS_TOKEN ?? '';

export async function GET(request: NextRequest) {
  const region = request.nextUrl.searchParams.get('region');
  if (!region) {
    return NextResponse.json({ error: 'region is required' }, { status: 400 });
  }
  const endpoint = 'https://' + region + '.metrics.example.com/v1/usage';
  const upstream = await fetch(endpoint, {
    headers: { authorization: `Bearer ${TOKEN}` },
    cache: 'no-store',
  });
  return NextResponse.json(await upstream.json());
}
