const fs = require('fs');
const express = require('express');

const router = express.Router();
router.use(express.urlencoded({ extended: false }));

const access = fs.createWriteStream('/var/log/app/access.log', { flags: 'a', mode: 0o600 });

router.post('/session', (req, res, next) => {
  const username = String(req.body.username).replace(/[\r\n\t\x00-\x1f\x7f]/g, '_').slice(0, 64);
  access.write(new Date().toISOString() + ' login attempt by ' + username + '\n');
  next();
});

module.exports = router;
