import { FastifyInstance, FastifyRequest } from 'fastify';
import { loadDocument, saveDocument } from './documents';

type Patch = { path: string; value: unknown };

function assign(doc: any, path: string, value: unknown): void {
  const keys = path.split('.');
  let node = doc;
  while (keys.length > 1) {
    const key = keys.shift() as string;
    node = node[key] ?? (node[key] = {});
  }
  node[keys[0]] = value;
}

export async function documentRoutes(app: FastifyInstance) {
  app.patch('/documents/:id', async (request: FastifyRequest<{ Params: { id: number }; Body: Patch }>) => {
    const doc = await loadDocument(Number(request.params.id));
    assign(doc, request.body.path, request.body.value);
    await saveDocument(doc);
    return doc;
  });
}
