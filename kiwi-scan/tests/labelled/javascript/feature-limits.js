const Koa = require('koa');
const Router = require('@koa/router');
const { koaBody } = require('koa-body');

const limits = Object.assign(Object.create(null), {
  web: Object.create(null),
  mobile: Object.create(null),
});
const router = new Router();

router.put('/limits/:platform/:limit', (ctx) => {
  const { platform, limit } = ctx.params;
  const group = limits[platform];
  if (!group) {
    ctx.status = 404;
    return;
  }
  group[limit] = Number(ctx.request.body.value);
  ctx.status = 204;
});

const app = new Koa();
app.use(koaBody());
app.use(router.routes());
app.listen(3000);
