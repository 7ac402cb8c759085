import type { Command } from 'commander';
import { say } from './log.ts';
import { refusalOf } from './runs.ts';
import { addRemoteOptions, connectRemote, type RemoteFlags } from './target.ts';

/** `fanfold cancel <run>`: cancels a run, even if another command collects it. */
export function addCancel(program: Command): void {
  addRemoteOptions(
    program
      .command('cancel')
      .description('cancel a run: inputs without a result end as cancelled')
      .argument('<run>', 'the run id'),
  ).action(async (runId: string, flags: RemoteFlags) => {
    const connection = await connectRemote(flags);
    await using fanfold = connection.fanfold;
    const { byCollector, isEnding = false } = await fanfold
      .cancel(runId)
      .catch(async (error: unknown) => {
        throw await refusalOf(error, runId, connection, { change: 'cancel' });
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
