import { Request, Response, NextFunction } from 'express';

const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

export function validateSlug(req: Request, res: Response, next: NextFunction): void {
  const slug = req.body.slug;
  if (typeof slug !== 'string' || slug.length > 80 || !SLUG.test(slug)) {
    res.status(422).json({ error: 'slug must be words joined by hyphens' });
    return;
  }
  res.locals.slug = slug;
  next();
}
