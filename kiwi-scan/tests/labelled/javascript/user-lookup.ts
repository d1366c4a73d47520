import Fastify, { FastifyRequest } from 'fastify';
import { Pool } from 'pg';

const db = new Pool({ connectionString: process.env.DATABASE_URL });
const app = Fastify();

interface LookupBody {
  username: string;
}

app.post('/lookup', async (request: FastifyRequest<{ Body: LookupBody }>) => {
  const { username } = request.body;
  const query = {
    name: undefined,
    text: "SELECT id, display_name FROM users WHERE username = '".concat(username, "'"),
  };
  const { rows } = await db.query(query);
  return { users: rows };
});

app.listen({ port: 3000 });
