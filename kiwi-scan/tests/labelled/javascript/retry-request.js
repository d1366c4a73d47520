const axios = require('axios');

const BASE_DELAY = 200;

function delay(attempt) {
  const backoff = BASE_DELAY * 2 ** attempt;
  return backoff + Math.floor(Math.random() * BASE_DELAY);
}

async function fetchRates() {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      const response = await axios.get('https://rates.example.com/v1/latest');
      return response.data;
    } catch (err) {
      await new Promise((resolve) => setTimeout(resolve, delay(attempt)));
    }
  }
  throw new Error('rates service is not available');
}

module.exports = { fetchRates };
