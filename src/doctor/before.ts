import { codeStorage, concurrency, recursionSupport } from './account.ts';
import { type Check, ok } from './finding.ts';
import type { AccountSubject } from './subject.ts';

/** Only looked at where nothing was found; a look that was denied makes it unknown. */
export const names: Check<AccountSubject> = {
  title: 'names',
  async look({ looks }) {
    await Promise.all(looks.parts());
    return ok(`No queue or function has a name of a deployment "${looks.names.name}" yet.`);
  },
};

const recursion: Check<AccountSubject> = {
  title: 'recursion',
  look: async ({ region }) => recursionSupport(region),
};

/** Checks of an account that stacks are to be deployed to. */
export const BEFORE: readonly Check<AccountSubject>[] = [concurrency, codeStorage, recursion];
