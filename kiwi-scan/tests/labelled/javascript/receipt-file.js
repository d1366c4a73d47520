const fs = require('fs');
const path = require('path');
const express = require('express');

const router = express.Router();
const RECEIPT_DIR = '/var/data/receipts';

router.get('/receipts/file', (req, res) => {
  const name = path.basename(String(req.query.name)) + '.pdf';
  const target = path.join(RECEIPT_DIR, name);
  const stream = fs.createReadStream(target);
  stream.on('error', () => res.status(404).end());
  res.setHeader('Content-Type', 'application/pdf');
  stream.pipe(res);
});

module.exports = router;
