const express = require('express');
const { MongoClient } = require('mongodb');

const client = new MongoClient(process.env.MONGO_URL);
const users = client.db('app').collection('users');
const app = express();
app.use(express.json());

app.post('/code-check', async (req, res) => {
  const { email, accessCode } = req.body;
  if (typeof email !== 'string' || typeof accessCode !== 'string') {
    return res.status(400).json({ ok: false });
  }
  const user = await users.findOne({ email, accessCode });
  if (!user) {
    return res.status(401).json({ ok: false });
  }
  res.json({ ok: true, name: user.name });
});

app.listen(3000);
