const http = require('http');
const { recordClick } = require('./stats');

const server = http.createServer((req, res) => {
  const { pathname, searchParams } = new URL(req.url, 'http://localhost');
  if (pathname !== '/out') {
    res.writeHead(404);
    res.end();
    return;
  }
  recordClick(searchParams.get('campaign'));
  const target = searchParams.get('to');
  res.writeHead(302, { Location: target });
  res.end();
});

server.listen(8080);
