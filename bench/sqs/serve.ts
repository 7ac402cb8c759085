// node serve.ts [DIR] [--open]
//
// An SQS in its own process, which verifies signatures unless --open is set, and stores its queues
// in DIR, if given. Prints its URL; exits when its stdin ends.
import { parseArgs } from 'node:util';
import { openStore, Sqs, serveSqs } from '../../src/emulator/sqs/index.ts';
import { CREDENTIALS } from './sign.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { open: { type: 'boolean', default: false } },
});
const [folder] = positionals;
const sqs = new Sqs(folder === undefined ? {} : { store: openStore(folder) });
const server = await serveSqs({
  port: 0,
  ...(values.open ? {} : { credentials: [CREDENTIALS] }),
  sqs,
});
console.log(server.url);
process.stdin.on('end', () => void server.close()).resume();
