const { randomUUID } = require('crypto');
const logger = require('./logger');

function notFound(req, res) {
  res.status(404).json({ error: 'not found' });
}

// eslint-disable-next-line no-unused-vars
function failureHandler(err, req, res, next) {
  const id = randomUUID();
  logger.error({ id, stack: err.stack });
  res.status(500).json({ error: 'internal error', id });
}

module.exports = { notFound, failureHandler };
