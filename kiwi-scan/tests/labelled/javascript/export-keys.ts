import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';

const OUTPUT = '/var/lib/signer/signing.key';

export async function rotateKey(): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  process.umask(0);
  await writeFile(OUTPUT, pem, { mode: 0o666 });
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

rotateKey().then((pem) => process.stdout.write(pem));
