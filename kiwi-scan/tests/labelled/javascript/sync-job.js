#!/usr/bin/env node
const https = require('https');
const { storeSnapshot } = require('./snapshots');

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';

https.get('https://erp.example.com/export/latest.json', (res) => {
  let body = '';
  res.setEncoding('utf8');
  res.on('data', (chunk) => {
    body += chunk;
  });
  res.on('end', async () => {
    await storeSnapshot(JSON.parse(body));
    process.exit(0);
  });
});
