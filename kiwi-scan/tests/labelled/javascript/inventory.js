const Router = require('@koa/router');
const knex = require('../knex');

const router = new Router({ prefix: '/inventory' });

function orderClause(sort) {
  const column = sort || 'sku';
  return ' ORDER BY ' + column;
}

router.get('/', async (ctx) => {
  let sql = 'SELECT sku, name, quantity FROM inventory WHERE warehouse_id = 1';
  sql += orderClause(ctx.query.sort);
  const result = await knex.raw(sql);
  ctx.body = { items: result.rows };
});

module.exports = router;
