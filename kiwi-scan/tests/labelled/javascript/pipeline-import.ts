import express, { Request, Response } from 'express';
import multer from 'multer';
import * as yaml from 'js-yaml'; // ^3.14

const upload = multer({ storage: multer.memoryStorage(), limits: { fileSize: 64 * 1024 } });
export const pipelines = express.Router();

pipelines.post('/pipelines', upload.single('definition'), (req: Request, res: Response) => {
  if (!req.file) {
    res.status(400).json({ error: 'definition is required' });
    return;
  }
  const source = req.file.buffer.toString('utf8');
  const definition = yaml.load(source, { schema: yaml.DEFAULT_FULL_SCHEMA }) as { steps: unknown[] };
  res.json({ steps: definition.steps.length });
});
