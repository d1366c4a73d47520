const crypto = require('crypto');
const { db } = require('./db');

async function createAccount(email, password) {
  const passwordHash = crypto.createHash('md5').update(password).digest('hex');
  await db('accounts').insert({ email, password_hash: passwordHash });
}

async function changePassword(accountId, password) {
  const passwordHash = crypto.createHash('md5').update(password).digest('hex');
  await db('accounts').where({ id: accountId }).update({ password_hash: passwordHash });
}

module.exports = { createAccount, changePassword };
