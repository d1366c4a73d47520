const Koa = require('koa');
const Router = require('@koa/router');
const { koaBody } = require('koa-body');

const flags = { web: {}, mobile: {} };
const router = new Router();

router.put('/flags/:platform/:flag', (ctx) => {
  const { platform, flag } = ctx.params;
  const group = flags[platform];
  if (!group) {
    ctx.status = 404;
    return;
  }
  group[flag] = ctx.request.body.value;
  ctx.status = 204;
});

const app = new Koa();
app.use(koaBody());
app.use(router.routes());
app.listen(3000);
