const mysql = require('mysql2/promise');

const pool = mysql.createPool({
  host: process.env.DB_HOST || 'db.internal.example.com',
  user: 'shop_app',
  password: 'tR7!kw92-Lmzq',
  database: 'shop',
  connectionLimit: 10,
});

async function ping() {
  const [rows] = await pool.query('SELECT 1 AS ok');
  return rows[0].ok === 1;
}

module.exports = { pool, ping };
