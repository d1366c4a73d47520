const logger = require('./logger');

function notFound(req, res) {
  res.status(404).json({ error: 'not found' });
}

// eslint-disable-next-line no-unused-vars
function errorHandler(err, req, res, next) {
  logger.error(err);
  res.status(err.status || 500).json({
    error: 'internal error',
    detail: err.stack,
  });
}

module.exports = { notFound, errorHandler };
