// node serve.ts [DIR]
//
// An SQS that verifies signatures, in its own process; it keeps its queues in the folder, if one is
// given. Prints its URL; ends when its stdin does.
import { openStore, Sqs, serveSqs } from '../../src/local/sqs/index.ts';
import { CREDENTIALS } from './sign.ts';

const folder = process.argv[2];
const sqs = new Sqs(folder === undefined ? {} : { store: openStore(folder) });
const server = await serveSqs({ port: 0, credentials: [CREDENTIALS], sqs });
console.log(server.url);
process.stdin.on('end', () => void server.close()).resume();
