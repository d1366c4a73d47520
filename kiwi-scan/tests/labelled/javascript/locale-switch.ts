import { NextRequest, NextResponse } from 'next/server';

const LOCALES = ['en', 'de', 'fr'];
const SITE = 'https://www.example.com';

export async function GET(request: NextRequest) {
  const requested = request.nextUrl.searchParams.get('locale') ?? 'en';
  const locale = LOCALES.includes(requested) ? requested : 'en';
  const destination = new URL(`/${locale}/home`, SITE);
  return NextResponse.redirect(destination);
}
