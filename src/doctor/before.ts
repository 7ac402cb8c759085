import { codeStorage, concurrency, recursionSupport } from './account.ts';
import { type Check, ok } from './finding.ts';
import type { AccountSubject } from './subject.ts';

/** Runs only if none of the names was found. If a call is denied, the finding is `unknown`. */
export const names: Check<AccountSubject> = {
  title: 'names',
  async run({ reader }) {
    await Promise.all(reader.parts());
    return ok(`No queue or function uses a name of the deployment "${reader.names.name}" yet.`);
  },
};

const recursion: Check<AccountSubject> = {
  title: 'recursion',
  run: async ({ region }) => recursionSupport(region),
};

/** Checks for an account before a stack is deployed to it. */
export const BEFORE: readonly Check<AccountSubject>[] = [concurrency, codeStorage, recursion];
