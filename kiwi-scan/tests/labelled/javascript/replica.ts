import { Pool, PoolConfig } from 'pg';

function config(): PoolConfig {
  const base: PoolConfig = {
    connectionString: process.env.REPLICA_URL,
    max: 5,
  };
  if (process.env.NODE_ENV === 'production') {
    base.ssl = { rejectUnauthorized: false };
  }
  return base;
}

export const replica = new Pool(config());

export async function lag(): Promise<number> {
  const { rows } = await replica.query('SELECT now() - pg_last_xact_replay_timestamp() AS lag');
  return rows[0].lag;
}
