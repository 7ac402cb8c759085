// node serve.ts
//
// An SQS that verifies signatures, in its own process. Prints its URL; ends when its stdin does.
import { serveSqs } from '../../src/local/sqs/index.ts';
import { CREDENTIALS } from './sign.ts';

const options = { port: 0, credentials: [CREDENTIALS] };
const server = await serveSqs(options);
console.log(server.url);
process.stdin.on('end', () => void server.close()).resume();
