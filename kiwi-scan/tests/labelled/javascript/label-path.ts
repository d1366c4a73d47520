import { FastifyInstance, FastifyRequest } from 'fastify';
import { loadLabels, saveLabels } from './labels';

type Patch = { group: string; label: string; value: string };

export async function labelRoutes(app: FastifyInstance) {
  app.patch('/labels/:id', async (request: FastifyRequest<{ Params: { id: number }; Body: Patch }>) => {
    const labels: Map<string, Map<string, string>> = await loadLabels(Number(request.params.id));
    const { group, label, value } = request.body;
    let entries = labels.get(group);
    if (!entries) {
      entries = new Map();
      labels.set(group, entries);
    }
    entries.set(label, String(value));
    await saveLabels(Number(request.params.id), labels);
    return { size: entries.size };
  });
}
