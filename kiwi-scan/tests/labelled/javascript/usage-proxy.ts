import { NextRequest, NextResponse } from 'next/server';

const TOKEN = process.env.METRICS_TOKEN ?? '';

export async function GET(request: NextRequest) {
  const account = request.nextUrl.searchParams.get('account');
  if (!account || !/^[a-z0-9]{4,32}$/.test(account)) {
    return NextResponse.json({ error: 'account is required' }, { status: 400 });
  }
  const endpoint = `https://metrics.example.com/v1/usage/${encodeURIComponent(account)}`;
  const upstream = await fetch(endpoint, {
    headers: { authorization: `Bearer ${TOKEN}` },
    cache: 'no-store',
  });
  return NextResponse.json(await upstream.json());
}
