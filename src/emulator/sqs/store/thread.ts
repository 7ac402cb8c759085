// The thread that writes a store: it can wait for the disk while requests are answered.
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../../errors.ts';
import type { Batch } from './batch.ts';
import { faultOf } from './damage.ts';
import type { Written } from './writer.ts';
import { Writing } from './writing.ts';

const port = parentPort;
if (port === null) throw new Error('This module must run in a worker thread.');
const writing = new Writing(String(workerData));

port.on('message', (batch: Batch | 'close') => {
  if (batch === 'close') {
    writing.close();
    port.close();
    return;
  }
  let written: Written;
  try {
    writing.write(batch);
    written = { fault: undefined };
  } catch (error) {
    written = { fault: faultOf(error) === 'full' ? 'its disk is full' : messageOf(error) };
  }
  port.postMessage(written);
});
