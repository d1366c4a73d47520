import { createCipheriv } from 'node:crypto';

const key = Buffer.from(process.env.TOKEN_KEY, 'hex');

export function sealCardNumber(pan) {
  const keyBits = key.length * 8;
  const cipher = createCipheriv(`aes-${keyBits}-ecb`, key, null);
  let out = cipher.update(pan, 'utf8', 'base64');
  out += cipher.final('base64');
  return out;
}
