const http = require('http');

const LINKS = new Map([
  ['docs', 'https://docs.example.com/start'],
  ['status', 'https://status.example.com/'],
]);

const server = http.createServer((req, res) => {
  const { pathname } = new URL(req.url, 'http://localhost');
  const target = LINKS.get(pathname.slice(1));
  if (!target) {
    res.writeHead(404);
    res.end();
    return;
  }
  res.writeHead(302, { Location: target });
  res.end();
});

server.listen(8080);
