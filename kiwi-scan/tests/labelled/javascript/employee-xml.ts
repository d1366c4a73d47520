import { readFileSync } from 'fs';
import { Request, Response } from 'express';
import { DOMParser } from '@xmldom/xmldom';
import * as xpath from 'xpath';

const document = new DOMParser().parseFromString(
  readFileSync('/srv/data/employees.xml', 'utf8'),
  'text/xml',
);

export function listEmployees(req: Request, res: Response): void {
  const department = req.query.department as string;
  const expression = `//employee[@public='true' and @department='${department}']/name/text()`;
  const nodes = xpath.select(expression, document) as Node[];
  res.json({ names: nodes.map((node) => node.nodeValue) });
}
