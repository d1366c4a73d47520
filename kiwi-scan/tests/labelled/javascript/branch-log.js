import Koa from 'koa';
import Router from '@koa/router';
import { promisify } from 'node:util';
import * as cp from 'node:child_process';

const run = promisify(cp.exec);
const router = new Router();

router.get('/repos/main/log', async (ctx) => {
  const branch = ctx.request.query.branch || 'main';
  const parts = ['git', 'log', '--oneline', '-n', '20', branch];
  const command = parts.join(' ');
  const { stdout } = await run(command, { cwd: '/srv/repos/main' });
  ctx.body = { commits: stdout.trim().split('\n') };
});

const app = new Koa();
app.use(router.routes());
app.listen(4000);
