import { readFileSync } from 'fs';
import { Request, Response } from 'express';
import { DOMParser } from '@xmldom/xmldom';
import * as xpath from 'xpath';

const document = new DOMParser().parseFromString(
  readFileSync('/srv/data/offices.xml', 'utf8'),
  'text/xml',
);

const byCity = xpath.parse("//office[@public='true' and @city=$city]/name/text()");

export function listOffices(req: Request, res: Response): void {
  const city = String(req.query.city);
  const nodes = byCity.select({ node: document, variables: { city } });
  res.json({ names: nodes.map((node) => node.nodeValue) });
}
