const express = require('express');
const pug = require('pug');

const router = express.Router();
router.use(express.json());

router.post('/campaigns/preview', (req, res) => {
  const { layout, firstName } = req.body;
  const render = pug.compile(layout, { pretty: true });
  const html = render({ firstName: firstName || 'Jane', year: new Date().getFullYear() });
  res.json({ html });
});

module.exports = router;
