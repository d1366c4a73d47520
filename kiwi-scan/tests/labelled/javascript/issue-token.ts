import jwt from 'jsonwebtoken';

const JWT_SECRET = 'q8Zr4vN1xW7pLs3Yd6Tg0Hb5';

export interface SessionClaims {
  sub: string;
  roles: string[];
}

export function issueToken(claims: SessionClaims): string {
  return jwt.sign(claims, JWT_SECRET, { algorithm: 'HS256', expiresIn: '15m' });
}

export function readToken(token: string): SessionClaims {
  return jwt.verify(token, JWT_SECRET, { algorithms: ['HS256'] }) as SessionClaims;
}
