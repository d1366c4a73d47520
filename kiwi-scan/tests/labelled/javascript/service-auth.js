const jwt = require('jsonwebtoken');
const { publicKeyFor } = require('./keys');

async function serviceAuth(req, res, next) {
  const header = req.headers.authorization || '';
  const token = header.startsWith('Bearer ') ? header.slice(7) : '';
  try {
    const head = jwt.decode(token, { complete: true }).header;
    const key = await publicKeyFor(String(head.kid));
    const claims = jwt.verify(token, key, { algorithms: ['RS256'], issuer: 'https://id.example.com' });
    req.user = { id: claims.sub, roles: claims.roles };
  } catch (e) {
    return res.status(401).json({ error: 'token rejected' });
  }
  next();
}

module.exports = serviceAuth;
