const express = require('express');

const router = express.Router();
const ORIGIN = 'https://app.example.com';

function localTarget(value) {
  try {
    const url = new URL(String(value), ORIGIN);
    return url.origin === ORIGIN ? url.href : ORIGIN + '/';
  } catch (e) {
    return ORIGIN + '/';
  }
}

router.post('/logout', (req, res, next) => {
  req.session.destroy((err) => {
    if (err) {
      return next(err);
    }
    res.redirect(localTarget(req.query.next));
  });
});

module.exports = router;
