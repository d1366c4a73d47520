import AdmZip from 'adm-zip';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';

const PACK_ROOT = '/srv/packs';

export async function importPack(packId: number, upload: Buffer): Promise<number> {
  const zip = new AdmZip(upload);
  const base = resolve(PACK_ROOT, String(packId));
  let count = 0;
  for (const entry of zip.getEntries()) {
    if (entry.isDirectory) continue;
    const out = resolve(base, entry.entryName);
    if (!out.startsWith(base + sep)) {
      throw new Error('archive entry outside of the target directory');
    }
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, entry.getData());
    count += 1;
  }
  return count;
}
