import { join } from 'node:path';
import type { Benchmark, Figure } from './benchmark.ts';
import { atLeast, percent, perSecond } from './format.ts';
import { inTurns } from './measure.ts';
import { startServer } from './server-process.ts';
import type { Load } from './sqs/load.ts';
import { rate, runLoad, SERVE } from './sqs/run-load.ts';

const MESSAGES = 100_000;

/** Cost of writing every change to disk before the response. */
export const sqsDurable: Benchmark = {
  name: 'sqs-durable',
  about:
    'signed batches of ten 1 KiB messages, 64 at once, each acknowledged once it is on disk; server and load in separate processes; baseline: the same in memory',
  async run(bench) {
    await using durable = await startServer([SERVE, join(bench.folder, 'store')], bench.signal);
    await using memory = await startServer([SERVE], bench.signal);
    const [ours, theirs] = await inTurns(
      3,
      () => runLoad(bench, durable.url, MESSAGES, '--batches'),
      () => runLoad(bench, memory.url, MESSAGES, '--batches'),
    );
    return [
      { ...figure('send', ours, theirs), goal: atLeast(ratio(ours, theirs, 'send'), 0.5, percent) },
      {
        ...figure('receive', ours, theirs),
        goal: atLeast(ratio(ours, theirs, 'receive'), 0.8, percent),
      },
      figure('delete', ours, theirs),
    ];
  },
};

function figure(action: keyof Load, durable: Load[], memory: Load[]): Figure {
  return {
    what: action,
    ours: perSecond(rate(durable, action, MESSAGES), 'messages'),
    baseline: perSecond(rate(memory, action, MESSAGES), 'messages'),
    ratio: percent(ratio(durable, memory, action)),
  };
}

function ratio(durable: Load[], memory: Load[], action: keyof Load): number {
  return rate(durable, action, MESSAGES) / rate(memory, action, MESSAGES);
}
