import { createHmac, timingSafeEqual } from 'node:crypto';

const key = Buffer.from(process.env.TOKEN_KEY, 'hex');

export function sign(value) {
  const mac = createHmac('sha256', key).update(value).digest('base64url');
  return `${value}.${mac}`;
}

export function verify(signed) {
  const index = signed.lastIndexOf('.');
  const expected = Buffer.from(sign(signed.slice(0, index)));
  const actual = Buffer.from(signed);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
