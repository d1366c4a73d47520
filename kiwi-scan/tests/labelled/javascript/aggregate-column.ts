import { Router, Request, Response } from 'express';
import { loadRows } from '../sheets';

export const aggregates = Router();

const FIELDS = ['net', 'tax', 'shipping'] as const;
type Field = (typeof FIELDS)[number];
type Row = Record<Field, number>;

const getters = new Map<string, (row: Row) => number>();
for (const field of FIELDS) {
  getters.set(field, new Function('row', `return row.${field};`) as (row: Row) => number);
}

aggregates.get('/sheets/:id/sum', async (req: Request, res: Response) => {
  const rows: Row[] = await loadRows(Number(req.params.id));
  const get = getters.get(String(req.query.field));
  if (!get) {
    res.status(400).json({ error: 'unknown field' });
    return;
  }
  res.json({ sum: rows.reduce((total, row) => total + get(row), 0) });
});
