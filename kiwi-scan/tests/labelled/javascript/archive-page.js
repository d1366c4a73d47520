const express = require('express');
const escapeHtml = require('escape-html');
const { countArchived } = require('./articles');

const app = express();

app.get('/archive', async (req, res) => {
  const term = escapeHtml(String(req.query.q || ''));
  const count = await countArchived(req.query.q);
  const body = `
    <main>
      <h1>${Number(count)} archived results for ${term}</h1>
      <a href="/">Back</a>
    </main>`;
  res.send(body);
});

app.listen(3000);
