const crypto = require('crypto');
const { db } = require('./db');

async function registerArtifact(name, content) {
  const digest = crypto.createHash('sha256').update(content).digest('hex');
  await db('artifacts').insert({ name, digest });
  return digest;
}

async function isUnchanged(name, content) {
  const digest = crypto.createHash('sha256').update(content).digest('hex');
  const row = await db('artifacts').where({ name }).first();
  return row !== undefined && row.digest === digest;
}

module.exports = { registerArtifact, isUnchanged };
