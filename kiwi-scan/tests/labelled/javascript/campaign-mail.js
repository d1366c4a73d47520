const path = require('path');
const express = require('express');
const pug = require('pug');
const { queueMail } = require('./queue');

const router = express.Router();
router.use(express.json());

const render = pug.compileFile(path.join(__dirname, 'templates', 'campaign.pug'));

router.post('/campaigns/test', async (req, res) => {
  const { firstName } = req.body;
  const html = render({ firstName: String(firstName || 'Jane'), year: 2024 });
  await queueMail(req.user.email, 'Campaign test', html);
  res.status(202).json({ queued: true });
});

module.exports = router;
