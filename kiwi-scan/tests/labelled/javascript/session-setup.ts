import express from 'express';
import session from 'express-session';
import RedisStore from 'connect-redis';
import { redis } from './redis';

export const app = express();
app.set('trust proxy', 1);

app.use(
  session({
    store: new RedisStore({ client: redis }),
    secret: process.env.SESSION_SECRET as string,
    name: 'shop.sid',
    resave: false,
    saveUninitialized: false,
    cookie: { secure: true, httpOnly: false, sameSite: 'lax', maxAge: 3600000 },
  }),
);
