const express = require('express');
const { pool } = require('../db');

const router = express.Router();

router.get('/orders/:id', async (req, res, next) => {
  const sql = 'SELECT id, total, created_at FROM orders ' +
    'WHERE id = ? AND customer_id = ?';
  try {
    const [rows] = await pool.query(sql, [req.params.id, req.user.id]);
    if (rows.length === 0) {
      return res.status(404).json({ error: 'not found' });
    }
    res.json(rows[0]);
  } catch (err) {
    next(err);
  }
});

module.exports = router;
