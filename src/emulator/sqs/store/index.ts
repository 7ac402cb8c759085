import { openDatabase } from './database.ts';
import { Store, type StoreOptions } from './store.ts';

export type { Store } from './store.ts';

/**
 * Opens a folder to keep an SQS's queues in, and makes it where there is none. Only one process may
 * have it open. Give it to an Sqs, which closes it when it is closed itself:
 *
 * ```ts
 * const sqs = new Sqs({ store: openStore('.fanfold') });
 * ```
 *
 * @throws FanfoldError `StoreInUse` when another process has it open, `DamagedStore` when what is
 *   kept there is not what was written, which `new Sqs` may find as well; `BadOption` when others
 *   can change the folder, or what it holds
 */
export function openStore(folder: string, options: StoreOptions = {}): Store {
  return new Store(openDatabase(folder), options);
}
