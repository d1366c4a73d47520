const express = require('express');
const { contacts } = require('./data');

const router = express.Router();

function escapeRegExp(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

router.get('/words', (req, res) => {
  const word = String(req.query.word || '').slice(0, 40);
  const matcher = new RegExp('\\b' + escapeRegExp(word), 'i');
  const found = contacts.filter((contact) => matcher.test(contact.name));
  res.json({ found: found.slice(0, 50) });
});

module.exports = router;
