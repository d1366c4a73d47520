const express = require('express');
const { contacts } = require('./data');

const router = express.Router();

router.get('/contacts', (req, res) => {
  const pattern = req.query.pattern || '';
  let matcher;
  try {
    matcher = new RegExp(pattern, 'i');
  } catch (e) {
    return res.status(400).json({ error: 'pattern not understood' });
  }
  const found = contacts.filter((contact) => matcher.test(contact.name));
  res.json({ found: found.slice(0, 50) });
});

module.exports = router;
