const express = require('express');

const app = express();
app.use(express.json());

app.post('/calc', (req, res) => {
  const { expression, precision = 2 } = req.body;
  let value;
  try {
    value = eval(expression);
  } catch (e) {
    return res.status(422).json({ error: 'cannot evaluate expression' });
  }
  res.json({ value: Number(value).toFixed(precision) });
});

app.listen(3000);
