import express, { Request, Response } from 'express';
import multer from 'multer';
import * as yaml from 'js-yaml'; // ^4.1

const upload = multer({ storage: multer.memoryStorage(), limits: { fileSize: 64 * 1024 } });
export const workflows = express.Router();

workflows.post('/workflows', upload.single('definition'), (req: Request, res: Response) => {
  if (!req.file) {
    res.status(400).json({ error: 'definition is required' });
    return;
  }
  const source = req.file.buffer.toString('utf8');
  const definition = yaml.load(source, { schema: yaml.JSON_SCHEMA }) as { steps?: unknown[] };
  res.json({ steps: definition.steps?.length ?? 0 });
});
