import express, { NextFunction, Request, Response } from 'express';
import errorhandler from 'errorhandler';
import { api } from './api';
import { logger } from './logger';

const app = express();
app.use('/api', api);

if (process.env.NODE_ENV === 'development') {
  app.use(errorhandler());
} else {
  app.use((err: Error, req: Request, res: Response, next: NextFunction) => {
    logger.error(err);
    res.status(500).json({ error: 'internal error' });
  });
}

app.listen(3000, '127.0.0.1');
