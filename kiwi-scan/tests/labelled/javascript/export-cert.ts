import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';

const PRIVATE_FILE = '/var/lib/issuer/issuer.key';
const PUBLIC_FILE = '/var/lib/issuer/issuer.pub';

export async function rotate(): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  process.umask(0o077);
  await writeFile(PRIVATE_FILE, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(PUBLIC_FILE, publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644 });
}

rotate();
