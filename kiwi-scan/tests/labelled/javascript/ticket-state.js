import { Router } from 'express';
import { z } from 'zod';
import { tickets } from './collections.js';

export const ticketStateRouter = Router();

const Filter = z.object({
  state: z.enum(['open', 'pending', 'closed']),
  priority: z.coerce.number().int().min(1).max(5),
});

ticketStateRouter.get('/tickets', async (req, res) => {
  const parsed = Filter.safeParse(req.query);
  if (!parsed.success) {
    return res.status(400).json({ error: 'filter does not match' });
  }
  const filter = { owner: req.session.userId, ...parsed.data };
  const found = await tickets.find(filter).limit(100).toArray();
  res.json({ tickets: found });
});
