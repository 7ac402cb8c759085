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
        ? `run ${runId} is cancelled: its collector has the results that were there`
        : `run ${runId} is cancelled: nobody collected it, so its queue was deleted, with what was in it`,
    );
  });
}
