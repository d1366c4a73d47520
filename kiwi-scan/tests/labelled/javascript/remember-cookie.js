const express = require('express');
const { randomBytes } = require('crypto');
const { storeRememberToken } = require('./sessions');

const router = express.Router();

router.post('/remember', async (req, res) => {
  const token = randomBytes(32).toString('hex');
  await storeRememberToken(req.user.id, token);
  res.cookie('remember_me', token, {
    httpOnly: true,
    secure: false,
    sameSite: 'lax',
    maxAge: 30 * 24 * 3600 * 1000,
  });
  res.status(204).end();
});

module.exports = router;
