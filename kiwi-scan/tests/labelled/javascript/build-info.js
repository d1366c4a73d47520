import Koa from 'koa';
import Router from '@koa/router';
import { execSync } from 'node:child_process';

const router = new Router();

router.get('/build-info', async (ctx) => {
  const brief = ctx.request.query.brief === '1';
  const sha = execSync('git rev-parse HEAD', { cwd: '/srv/app' }).toString().trim();
  ctx.body = {
    commit: brief ? sha.slice(0, 8) : sha,
    uptime: process.uptime(),
  };
});

const app = new Koa();
app.use(router.routes());
app.listen(4000);
