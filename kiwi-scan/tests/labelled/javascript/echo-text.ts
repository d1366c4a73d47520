import Fastify, { FastifyReply, FastifyRequest } from 'fastify';

const app = Fastify({ logger: true });

type EchoRequest = FastifyRequest<{ Params: { word: string }; Querystring: { json?: string } }>;

app.get('/echo/:word', async (request: EchoRequest, reply: FastifyReply) => {
  const { word } = request.params;
  if (request.query.json) {
    return { word, length: word.length };
  }
  reply.header('content-type', 'text/plain; charset=utf-8');
  reply.header('x-content-type-options', 'nosniff');
  return reply.send('<' + word + '> has ' + word.length + ' characters');
});

app.listen({ port: 3000 });
