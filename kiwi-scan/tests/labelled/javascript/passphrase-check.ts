import crypto from 'crypto';
import { Request, Response } from 'express';
import { findVault } from './vaults';

function derive(passphrase: string, salt: Buffer): Buffer {
  return crypto.scryptSync(passphrase, salt, 32, { N: 32768, r: 8, p: 1, maxmem: 64 * 1024 * 1024 });
}

export async function unlock(req: Request, res: Response) {
  const vault = await findVault(Number(req.params.id));
  const actual = derive(String(req.body.passphrase), vault.salt);
  const ok = crypto.timingSafeEqual(actual, vault.derived);
  res.status(ok ? 200 : 403).json({ ok });
}
