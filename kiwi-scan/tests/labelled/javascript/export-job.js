#!/usr/bin/env node
const https = require('https');
const { readSnapshot } = require('./snapshots');

if (process.env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
  console.error('refusing to run without certificate verification');
  process.exit(2);
}

async function main() {
  const body = JSON.stringify(await readSnapshot());
  const req = https.request('https://erp.example.com/import', {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  });
  req.on('response', (res) => process.exit(res.statusCode === 204 ? 0 : 1));
  req.end(body);
}

main();
