import crypto from 'crypto';
import { Request, Response } from 'express';
import { findDevice } from './devices';

function fingerprint(pin: string, salt: string): string {
  const hash = crypto.createHash('SHA1');
  hash.update(salt + ':' + pin);
  return hash.digest('hex');
}

export async function unlock(req: Request, res: Response) {
  const device = await findDevice(Number(req.params.id));
  const actual = Buffer.from(fingerprint(String(req.body.pin), device.salt));
  const expected = Buffer.from(device.pinHash);
  const ok = actual.length === expected.length && crypto.timingSafeEqual(actual, expected);
  res.status(ok ? 200 : 403).json({ ok });
}
