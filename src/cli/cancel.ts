import type { Command } from 'commander';
import { FanfoldError } from '../index.ts';
import { say } from './log.ts';
import { outcomeOf } from './run-facts.ts';
import { endedRun } from './runs.ts';
import { addRemoteOptions, connectRemote, nameOf, type RemoteFlags, unknownRun } from './target.ts';

/** `fanfold cancel <run>`: cancels a run, even if another command collects it. */
export function addCancel(program: Command): void {
  addRemoteOptions(
    program
      .command('cancel')
      .description('cancel a run: inputs without a result end as cancelled')
      .argument('<run>', 'the run id'),
  ).action(async (runId: string, flags: RemoteFlags) => {
    const { fanfold, target } = await connectRemote(flags);
    await using _ = fanfold;
    const { byCollector, isEnding = false } = await fanfold
      .cancel(runId)
      .catch(async (error: unknown) => {
        if (!(error instanceof FanfoldError && error.code === 'UnknownRun')) throw error;
        const ended = await endedRun(fanfold, runId).catch(() => undefined);
        if (ended === undefined) throw unknownRun(runId, target);
        throw new FanfoldError(
          'UnknownRun',
          `Run ${runId} on ${nameOf(target)} has ended already: ${outcomeOf(ended)}. There is nothing to cancel.`,
        );
      });
    if (isEnding) {
      say(
        `run ${runId} will be cancelled: its collector function first stores the results received so far`,
      );
      return;
    }
    say(
      byCollector
        ? `run ${runId} is cancelled: its collector keeps the results received so far`
        : `run ${runId} is cancelled: it had no collector, so its queue was deleted with all results in it`,
    );
  });
}
