import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';

export class ColumnCrypto {
  constructor(private readonly key: Buffer) {}

  encrypt(value: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv(ALGORITHM, this.key, iv, { authTagLength: 16 });
    const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
  }

  decrypt(value: string): string {
    const raw = Buffer.from(value, 'base64');
    const decipher = createDecipheriv(ALGORITHM, this.key, raw.subarray(0, 12), { authTagLength: 16 });
    decipher.setAuthTag(raw.subarray(12, 28));
    return decipher.update(raw.subarray(28), undefined, 'utf8') + decipher.final('utf8');
  }
}
