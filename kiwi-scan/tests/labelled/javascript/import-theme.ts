import AdmZip from 'adm-zip';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const THEME_ROOT = '/srv/themes';

export async function importTheme(themeId: number, upload: Buffer): Promise<number> {
  const zip = new AdmZip(upload);
  const base = join(THEME_ROOT, String(themeId));
  let count = 0;
  for (const entry of zip.getEntries()) {
    if (entry.isDirectory) continue;
    const out = join(base, entry.entryName);
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, entry.getData());
    count += 1;
  }
  return count;
}
