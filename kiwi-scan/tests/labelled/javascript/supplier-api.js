const fs = require('fs');
const https = require('https');
const fetch = require('node-fetch');

const agent = new https.Agent({
  keepAlive: true,
  ca: fs.readFileSync('/etc/ssl/private-ca/root.pem'),
  rejectUnauthorized: true,
});

async function fetchOffers(since) {
  const query = new URLSearchParams({ since: since.toISOString() });
  const response = await fetch('https://supplier.example.com/offers?' + query, {
    agent,
    headers: { authorization: 'Bearer ' + process.env.SUPPLIER_TOKEN },
  });
  return response.json();
}

module.exports = { fetchOffers };
