// node http-server.ts ANSWERS.json
//
// A minimal HTTP server in Node: reads each request to its end, and responds with the bytes that
// the file has for its X-Amz-Target. Prints its URL; exits when its stdin ends.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

interface Answer {
  headers: Record<string, string>;
  body: string;
}

const [, , path = ''] = process.argv;
const answers: Record<string, Answer> = JSON.parse(readFileSync(path, 'utf8'));

const server = createServer((request, response) => {
  request.on('data', () => {});
  request.on('end', () => {
    const { headers, body } = answers[String(request.headers['x-amz-target'])] ?? {
      headers: {},
      body: '',
    };
    response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') {
    console.log(`http://127.0.0.1:${address.port}`);
  }
});
process.stdin
  .on('end', () => {
    server.close();
    server.closeAllConnections();
  })
  .resume();
