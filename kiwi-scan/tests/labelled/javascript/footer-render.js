const ejs = require('ejs');
const { findUser } = require('../models/user');

const FOOTER = '<p><%= name %>, <%= title %></p><p>Example Ltd.</p>';

async function showFooter(ctx) {
  const user = await findUser(ctx.state.userId);
  const title = String(ctx.request.body.title || user.title);
  const preview = ejs.render(FOOTER, { name: user.name, title });
  ctx.body = { preview };
}

module.exports = { showFooter };
