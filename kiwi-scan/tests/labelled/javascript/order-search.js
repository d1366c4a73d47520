const express = require('express');
const { pool } = require('../db');

const router = express.Router();

router.get('/orders', async (req, res, next) => {
  const { status } = req.query;
  const customerId = Number(req.user.id);
  try {
    const [rows] = await pool.query(
      `SELECT id, total, created_at FROM orders WHERE customer_id = ${customerId} AND status = '${status}'`
    );
    res.json({ orders: rows });
  } catch (err) {
    next(err);
  }
});

module.exports = router;
