const Router = require('@koa/router');
const knex = require('../knex');

const router = new Router({ prefix: '/inventory' });

const COLUMNS = new Map([
  ['name', 'name'],
  ['stock', 'quantity'],
]);

router.get('/page', async (ctx) => {
  const column = COLUMNS.get(ctx.query.sort) || 'sku';
  const limit = Math.min(Math.max(parseInt(ctx.query.limit, 10) || 20, 1), 100);
  const result = await knex.raw(
    `SELECT sku, name, quantity FROM inventory ORDER BY ${column} LIMIT ${limit}`
  );
  ctx.body = { items: result.rows };
});

module.exports = router;
