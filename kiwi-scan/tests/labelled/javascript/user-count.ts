import Fastify, { FastifyRequest } from 'fastify';
import { Pool } from 'pg';

const db = new Pool({ connectionString: process.env.DATABASE_URL });
const app = Fastify();

const TABLE = 'users';
const ACTIVE = 'deleted_at IS NULL';

interface CountQuery {
  country: string;
}

app.get('/count', async (request: FastifyRequest<{ Querystring: CountQuery }>) => {
  const text = `SELECT count(*) AS n FROM ${TABLE} WHERE ${ACTIVE} AND country = $1`;
  const { rows } = await db.query(text, [request.query.country]);
  return { count: Number(rows[0].n) };
});

app.listen({ port: 3000 });
