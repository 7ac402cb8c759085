import { openDatabase } from './database.ts';
import { Store, type StoreOptions } from './store.ts';

export type { Store } from './store.ts';

/**
 * Opens a folder to store the queues of an `Sqs` in, and creates it if it does not exist. Only one
 * process can have it open. Pass the store to an `Sqs`, which closes it when it is closed itself:
 *
 * ```ts
 * const sqs = new Sqs({ store: openStore('.fanfold') });
 * ```
 *
 * @throws FanfoldError `StoreInUse` if another process has the folder open; `DamagedStore` if
 *   stored data differs from what was written, which `new Sqs` may find as well; `BadOption` if
 *   others can change the folder or its content
 */
export function openStore(folder: string, options: StoreOptions = {}): Store {
  return new Store(openDatabase(folder), options);
}
