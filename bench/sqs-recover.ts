import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, Benchmark } from './benchmark.ts';
import { megabytes, seconds, under } from './format.ts';
import { measure } from './measure.ts';

const RECOVER = fileURLToPath(new URL('./sqs/recover.ts', import.meta.url));
const MESSAGES = 1_000_000;

/** Recovery time of a server that was killed. */
export const sqsRecover: Benchmark = {
  name: 'sqs-recover',
  about: 'opens and checks a store of a million messages of 1 KiB, as a killed process leaves it',
  long: true,
  async run(bench) {
    await recover(bench, 'fill');
    const { stdout, peakBytes } = await recover(bench, 'open');
    const took = Number(stdout);
    return [
      { what: 'open', ours: seconds(took), goal: under(took, 10, seconds) },
      {
        what: 'peak memory',
        ours: peakBytes === undefined ? 'not measured' : megabytes(peakBytes),
      },
    ];
  },
};

function recover(bench: Bench, does: 'fill' | 'open') {
  const args = [RECOVER, does, join(bench.folder, 'store'), String(MESSAGES)];
  return measure({ program: process.execPath, args }, { cwd: bench.folder, signal: bench.signal });
}
