import { Router } from 'express';
import { tickets } from './collections.js';

export const ticketRouter = Router();

ticketRouter.get('/tickets', async (req, res) => {
  let filter = {};
  if (typeof req.query.filter === 'string') {
    try {
      filter = JSON.parse(req.query.filter);
    } catch (e) {
      return res.status(400).json({ error: 'filter is not JSON' });
    }
  }
  const found = await tickets.find(filter).limit(100).toArray();
  res.json({ tickets: found });
});
