import type { Command } from 'commander';
import { addRemoteOptions, type RemoteFlags, remotePlace } from './place.ts';
import { say } from './say.ts';

/** `fanfold redrive`: the dead-letter queue's messages, once more. */
export function addRedrive(program: Command): void {
  addRemoteOptions(
    program
      .command('redrive')
      .description('move the task messages of the dead-letter queue back to the task queue'),
  ).action(async (flags: RemoteFlags) => {
    const { fanfold, name } = await remotePlace(flags);
    await using _ = fanfold;
    const { moved } = await fanfold.redrive();
    if (moved === 0) say(`the dead-letter queue of ${name} is empty: nothing is moved`);
    else say(`${moved} task messages of ${name} are moved back to the task queue`);
  });
}
