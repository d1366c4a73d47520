const express = require('express');
const { findArticles } = require('./articles');

const app = express();

app.get('/search', async (req, res) => {
  const term = req.query.q || '';
  const hits = await findArticles(term);
  const body = `
    <main>
      <h1>${hits.length} results for ${term}</h1>
      <a href="/">Back</a>
    </main>`;
  res.send(body);
});

app.listen(3000);
