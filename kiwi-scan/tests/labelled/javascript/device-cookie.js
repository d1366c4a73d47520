const express = require('express');
const { randomBytes } = require('crypto');
const { storeDeviceToken } = require('./sessions');

const router = express.Router();
const COOKIE_OPTIONS = {
  httpOnly: true,
  secure: true,
  sameSite: 'strict',
  maxAge: 7 * 24 * 3600 * 1000,
};

router.post('/device', async (req, res) => {
  const token = randomBytes(32).toString('hex');
  await storeDeviceToken(req.user.id, token);
  res.cookie('device', token, COOKIE_OPTIONS);
  res.status(204).end();
});

module.exports = router;
