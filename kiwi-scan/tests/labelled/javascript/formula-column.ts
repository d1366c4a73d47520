import { Router, Request, Response } from 'express';
import { loadRows } from '../sheets';

export const sheets = Router();

type Row = Record<string, number>;

function compile(formula: string): (row: Row) => number {
  return new Function('row', 'return (' + formula + ');') as (row: Row) => number;
}

sheets.post('/sheets/:id/columns', async (req: Request, res: Response) => {
  const rows: Row[] = await loadRows(Number(req.params.id));
  const compute = compile(req.body.formula);
  res.json({ values: rows.map((row) => compute(row)) });
});
