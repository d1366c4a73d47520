const vm = require('vm');
const { fetchEvents } = require('./events');

async function previewRule(req, res) {
  const events = await fetchEvents(req.user.tenantId);
  const source = req.body.script;
  const sandbox = { events, matches: [] };
  vm.runInNewContext(source, sandbox, { timeout: 500 });
  res.json({ matches: sandbox.matches.slice(0, 100) });
}

module.exports = { previewRule };
