import { NextRequest, NextResponse } from 'next/server';
import { prisma } from '@/lib/prisma';

export async function GET(request: NextRequest) {
  const params = request.nextUrl.searchParams;
  const region = params.get('region') ?? 'emea';
  const year = Number(params.get('year') ?? 2024);

  const statement = `
    SELECT product, SUM(amount) AS total
    FROM sales
    WHERE region = '${region}' AND year = ${year}
    GROUP BY product`;

  const rows = await prisma.$queryRawUnsafe(statement);
  return NextResponse.json({ rows });
}
