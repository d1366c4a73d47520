import { Request, Response, NextFunction } from 'express';

const TAG_LIST = /^(([a-z0-9]+-?)+,?)+$/;

export function validateTags(req: Request, res: Response, next: NextFunction): void {
  const tags = req.body.tags;
  if (typeof tags !== 'string' || !TAG_LIST.test(tags)) {
    res.status(422).json({ error: 'tags must be a comma separated list' });
    return;
  }
  res.locals.tags = tags.split(',');
  next();
}
