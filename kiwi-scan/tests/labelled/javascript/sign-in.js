const express = require('express');
const { MongoClient } = require('mongodb');

const client = new MongoClient(process.env.MONGO_URL);
const users = client.db('app').collection('users');
const app = express();
app.use(express.json());

app.post('/sign-in', async (req, res) => {
  const user = await users.findOne({
    email: req.body.email,
    accessCode: req.body.accessCode,
  });
  if (!user) {
    return res.status(401).json({ ok: false });
  }
  res.json({ ok: true, name: user.name });
});

app.listen(3000);
