import { NextRequest, NextResponse } from 'next/server';
import { markOnboarded } from '@/lib/onboarding';

export async function GET(request: NextRequest) {
  const returnTo = request.nextUrl.searchParams.get('returnTo');
  await markOnboarded(request);

  if (returnTo) {
    const destination = new URL(returnTo, request.url);
    return NextResponse.redirect(destination);
  }
  return NextResponse.redirect(new URL('/home', request.url));
}
