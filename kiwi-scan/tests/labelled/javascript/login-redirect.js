const express = require('express');
const { authenticate } = require('./auth');

const router = express.Router();
router.use(express.urlencoded({ extended: false }));

router.post('/login', async (req, res) => {
  const user = await authenticate(req.body.email, req.body.password);
  if (!user) {
    return res.status(401).render('login', { failed: true });
  }
  await new Promise((resolve) => req.session.regenerate(resolve));
  req.session.userId = user.id;
  const next = req.query.next || '/dashboard';
  res.redirect(next);
});

module.exports = router;
