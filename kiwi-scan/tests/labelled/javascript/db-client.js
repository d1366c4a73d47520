const mysql = require('mysql2/promise');

const { DB_HOST, DB_USER, DB_PASSWORD } = process.env;

if (!DB_PASSWORD) {
  throw new Error('DB_PASSWORD is not set');
}

const pool = mysql.createPool({
  host: DB_HOST || 'db.internal.example.com',
  user: DB_USER,
  password: DB_PASSWORD,
  database: 'shop',
  connectionLimit: 10,
});

module.exports = { pool };
