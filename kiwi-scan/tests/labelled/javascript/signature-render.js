const ejs = require('ejs');
const { findUser } = require('../models/user');

async function updateSignature(ctx) {
  const user = await findUser(ctx.state.userId);
  const signature = ctx.request.body.signature;
  const preview = ejs.render(signature, { name: user.name, title: user.title });
  await user.update({ signature });
  ctx.body = { preview };
}

module.exports = { updateSignature };
