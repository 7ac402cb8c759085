import type { Command } from 'commander';
import { count, say } from './log.ts';
import { addRemoteOptions, connectRemote, nameOf, type RemoteFlags } from './target.ts';

/** Interval of progress reports, in milliseconds: SQS moves 500 messages a second. */
const REPORT_INTERVAL_MS = 5_000;

/** `fanfold redrive`: moves the dead-letter queue's messages back to the task queue. */
export function addRedrive(program: Command): void {
  addRemoteOptions(
    program
      .command('redrive')
      .description('move task messages from the dead-letter queue back to the task queue'),
  ).action(async (flags: RemoteFlags) => {
    const { fanfold, target } = await connectRemote(flags);
    await using _ = fanfold;
    let reportedAt = performance.now();
    const { moved } = await fanfold.redrive((sofar) => {
      if (performance.now() - reportedAt < REPORT_INTERVAL_MS) return;
      reportedAt = performance.now();
      say(`moved ${sofar.moved} of about ${sofar.of ?? '?'} task messages`);
    });
    if (moved === 0) say(`the dead-letter queue of ${nameOf(target)} is empty: nothing to move`);
    else say(`moved ${count(moved, 'task message')} of ${nameOf(target)} back to the task queue`);
  });
}
