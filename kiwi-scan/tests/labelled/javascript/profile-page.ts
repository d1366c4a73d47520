import Fastify, { FastifyReply, FastifyRequest } from 'fastify';

const app = Fastify({ logger: true });

type ProfileRequest = FastifyRequest<{ Params: { nickname: string } }>;

function layout(title: string, content: string): string {
  return '<!doctype html><title>Community</title><h1>' + title + '</h1>' + content;
}

app.get('/members/:nickname', async (request: ProfileRequest, reply: FastifyReply) => {
  const { nickname } = request.params;
  const html = layout(nickname, '<p>This member has no posts yet.</p>');
  reply.header('content-type', 'text/html; charset=utf-8');
  return reply.send(html);
});

app.listen({ port: 3000 });
