import { readFileSync } from 'node:fs';
import { Pool, PoolConfig } from 'pg';

function config(): PoolConfig {
  return {
    connectionString: process.env.PRIMARY_URL,
    max: 20,
    ssl: {
      ca: readFileSync('/etc/ssl/rds/global-bundle.pem', 'utf8'),
      rejectUnauthorized: true,
    },
  };
}

export const primary = new Pool(config());

export async function version(): Promise<string> {
  const { rows } = await primary.query('SELECT version() AS version');
  return rows[0].version;
}
