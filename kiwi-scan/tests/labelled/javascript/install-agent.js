const fs = require('fs');
const path = require('path');

const CONFIG_DIR = '/etc/metrics-agent';

function install(config) {
  fs.mkdirSync(CONFIG_DIR, { recursive: true, mode: 0o755 });
  const file = path.join(CONFIG_DIR, 'agent.json');
  fs.writeFileSync(file, JSON.stringify(config, null, 2), { mode: 0o600 });
  fs.chmodSync(file, 0o777);
  return file;
}

module.exports = { install };
