// node serve.ts DIR
//
// An SQS that stores its queues in the folder. Prints its URL, or the error, and then exits with
// status 3.

import { openStore, Sqs, serveSqs } from '../../../../src/emulator/sqs/index.ts';
import { FanfoldError } from '../../../../src/errors.ts';

try {
  const sqs = new Sqs({ store: openStore(process.argv[2] ?? ''), strictTiming: false });
  const server = await serveSqs({ sqs });
  console.log(server.url);
} catch (error) {
  if (!(error instanceof FanfoldError)) throw error;
  console.log(`${error.code}: ${error.message}`);
  process.exitCode = 3;
}
