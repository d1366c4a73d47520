import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'des-ede3-cbc';

export class FieldCrypto {
  constructor(private readonly key: Buffer) {}

  encrypt(value: string): string {
    const iv = randomBytes(8);
    const cipher = createCipheriv(ALGORITHM, this.key, iv);
    const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, body]).toString('base64');
  }

  decrypt(value: string): string {
    const raw = Buffer.from(value, 'base64');
    const decipher = createDecipheriv(ALGORITHM, this.key, raw.subarray(0, 8));
    return decipher.update(raw.subarray(8), undefined, 'utf8') + decipher.final('utf8');
  }
}
