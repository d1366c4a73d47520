import axios from 'axios';

const client = axios.create({
  baseURL: 'https://warehouse.example.com/api',
  timeout: 8000,
  auth: {
    username: 'integration',
    password: 'Wh-2951-Kestrel',
  },
});

export async function stockLevel(sku) {
  const { data } = await client.get('/stock/' + encodeURIComponent(sku));
  return data.level;
}
