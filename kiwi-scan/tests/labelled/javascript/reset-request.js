const { saveResetToken, findByEmail } = require('./users');
const { sendResetMail } = require('./mailer');

async function requestReset(req, res) {
  const user = await findByEmail(String(req.body.email));
  if (user) {
    const token = Math.random().toString(36).slice(2) + Date.now().toString(36);
    await saveResetToken(user.id, token, Date.now() + 3600 * 1000);
    await sendResetMail(user.email, token);
  }
  res.status(202).json({ accepted: true });
}

module.exports = { requestReset };
