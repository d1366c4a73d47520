import express from 'express';
import session from 'express-session';
import RedisStore from 'connect-redis';
import { redis } from './redis';

export const admin = express();
admin.set('trust proxy', 1);

admin.use(
  session({
    store: new RedisStore({ client: redis }),
    secret: process.env.ADMIN_SESSION_SECRET as string,
    name: '__Host-admin',
    resave: false,
    saveUninitialized: false,
    cookie: { secure: true, httpOnly: true, sameSite: 'strict', path: '/', maxAge: 900000 },
  }),
);
