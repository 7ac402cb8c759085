import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../../errors.ts';
import type { Batch } from './batch.ts';

/** What the thread answers: why a batch could not be written, if so. */
export interface Written {
  readonly fault: string | undefined;
}

/** The module that the thread runs, in the source as in what is built of it. */
const THREAD = new URL(
  `./thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
);

/** Has a thread of its own write batches, one at a time. Keeps the process only while it does. */
export class Writer {
  readonly #thread: Worker;
  #done: ((written: Written) => void) | undefined;
  #ended: Written | undefined;

  constructor(folder: string) {
    this.#thread = new Worker(THREAD, { workerData: folder });
    this.#thread.unref();
    this.#thread.on('message', (written: Written) => this.#settle(written));
    this.#thread.on('error', (error) => this.#end(messageOf(error)));
    this.#thread.on('exit', () => this.#end('the thread that writes has ended'));
  }

  /** Whether nothing will be written any more. */
  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  write(batch: Batch, done: (written: Written) => void): void {
    if (this.#ended) {
      done(this.#ended);
      return;
    }
    this.#done = done;
    this.#thread.ref();
    this.#thread.postMessage(batch);
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#thread.ref();
    const exit = once(this.#thread, 'exit');
    this.#thread.postMessage('close');
    await exit;
  }

  #end(fault: string): void {
    this.#ended ??= { fault };
    this.#settle(this.#ended);
  }

  #settle(written: Written): void {
    const done = this.#done;
    this.#done = undefined;
    this.#thread.unref();
    done?.(written);
  }
}
