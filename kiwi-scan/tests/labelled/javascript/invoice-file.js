const fs = require('fs');
const path = require('path');
const express = require('express');

const router = express.Router();
const INVOICE_DIR = '/var/data/invoices';

router.get('/invoices/file', (req, res) => {
  const name = req.query.name;
  const target = path.join(INVOICE_DIR, name);
  const stream = fs.createReadStream(target);
  stream.on('error', () => res.status(404).end());
  res.setHeader('Content-Type', 'application/pdf');
  stream.pipe(res);
});

module.exports = router;
