import { NextRequest, NextResponse } from 'next/server';
import { prisma } from '@/lib/prisma';

type Total = { product: string; total: number };

export async function GET(request: NextRequest) {
  const params = request.nextUrl.searchParams;
  const region = params.get('region') ?? 'emea';
  const year = Number(params.get('year') ?? 2024);

  const rows = await prisma.$queryRaw<Total[]>`
    SELECT product, SUM(amount) AS total
    FROM sales
    WHERE region = ${region} AND year = ${year}
    GROUP BY product`;

  return NextResponse.json({ rows });
}
