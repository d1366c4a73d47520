const http = require('node:http');
const ms = require('ms');

http.createServer((request, response) => response.end(`pnpm ${ms('1s')}\n`)).listen(process.env.PORT || 3000);
