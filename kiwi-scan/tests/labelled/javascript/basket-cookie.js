const express = require('express');
const cookieParser = require('cookie-parser');
const { z } = require('zod');

const app = express();
app.use(cookieParser());

const Basket = z.object({ items: z.array(z.number().int()).max(50) });

app.get('/basket', (req, res) => {
  let basket = { items: [] };
  if (req.cookies.basket) {
    try {
      const raw = Buffer.from(req.cookies.basket, 'base64').toString('utf8');
      basket = Basket.parse(JSON.parse(raw));
    } catch (e) {
      return res.status(400).json({ error: 'malformed basket' });
    }
  }
  res.json({ count: basket.items.length });
});

app.listen(3000);
