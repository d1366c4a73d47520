const fs = require('fs');
const express = require('express');

const router = express.Router();
router.use(express.urlencoded({ extended: false }));

const audit = fs.createWriteStream('/var/log/app/audit.log', { flags: 'a', mode: 0o600 });

router.post('/session', (req, res, next) => {
  const username = req.body.username;
  audit.write(new Date().toISOString() + ' login attempt by ' + username + '\n');
  next();
});

module.exports = router;
