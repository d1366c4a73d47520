const express = require('express');
const libxmljs = require('libxmljs');

const router = express.Router();
router.use(express.text({ type: 'application/xml', limit: '1mb' }));

router.post('/stock', (req, res) => {
  const doc = libxmljs.parseXml(req.body, { noent: false, nonet: true, noblanks: true });
  const names = doc.find('//product/name').map((node) => node.text());
  res.json({ names });
});

module.exports = router;
