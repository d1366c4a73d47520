const express = require('express');
const { exec } = require('child_process');

const app = express();

app.get('/ping', (req, res) => {
  const host = req.query.host;
  exec(`ping -c 4 ${host}`, { timeout: 10000 }, (err, stdout) => {
    if (err) {
      res.status(502).json({ reachable: false });
      return;
    }
    res.json({ reachable: true, output: stdout });
  });
});

app.listen(8080);
