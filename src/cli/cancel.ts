import type { Command } from 'commander';
import { say } from './log.ts';
import { addRemoteOptions, connectRemote, type RemoteFlags } from './target.ts';

/** `fanfold cancel <run>`: cancels a run, even if another command collects it. */
export function addCancel(program: Command): void {
  addRemoteOptions(
    program
      .command('cancel')
      .description('cancel a run: inputs without a result end as cancelled')
      .argument('<run>', 'the run id'),
  ).action(async (runId: string, flags: RemoteFlags) => {
    const { fanfold } = await connectRemote(flags);
    await using _ = fanfold;
    const { byCollector } = await fanfold.cancel(runId);
    say(
      byCollector
        ? `run ${runId} is cancelled: its collector keeps the results received so far`
        : `run ${runId} is cancelled: it had no collector, so its queue was deleted with all results in it`,
    );
  });
}
