const express = require('express');
const net = require('net');
const { execFile } = require('child_process');

const app = express();

app.get('/traceroute', (req, res) => {
  const host = String(req.query.host);
  if (net.isIP(host) === 0) {
    res.status(400).json({ error: 'an IP address is required' });
    return;
  }
  execFile('traceroute', ['-m', '12', host], { timeout: 30000 }, (err, stdout) => {
    if (err) {
      res.status(502).json({ reachable: false });
      return;
    }
    res.json({ reachable: true, output: stdout });
  });
});

app.listen(8080);
