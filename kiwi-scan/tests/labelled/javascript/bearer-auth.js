const jwt = require('jsonwebtoken');

function bearerAuth(req, res, next) {
  const header = req.headers.authorization || '';
  const [scheme, token] = header.split(' ');
  if (scheme !== 'Bearer' || !token) {
    return res.status(401).json({ error: 'token required' });
  }
  const claims = jwt.decode(token);
  if (!claims || claims.exp * 1000 < Date.now()) {
    return res.status(401).json({ error: 'token expired' });
  }
  req.user = { id: claims.sub, roles: claims.roles };
  next();
}

module.exports = bearerAuth;
