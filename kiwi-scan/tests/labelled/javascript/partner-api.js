const https = require('https');
const fetch = require('node-fetch');

const agent = new https.Agent({
  keepAlive: true,
  rejectUnauthorized: false,
});

async function fetchOrders(since) {
  const query = new URLSearchParams({ since: since.toISOString() });
  const response = await fetch('https://partner.example.com/orders?' + query, {
    agent,
    headers: { authorization: 'Bearer ' + process.env.PARTNER_TOKEN },
  });
  return response.json();
}

module.exports = { fetchOrders };
