import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../../errors.ts';
import type { Batch } from './batch.ts';

/** The thread's answer to a batch: why it could not be written, or undefined. */
export interface Written {
  readonly fault: string | undefined;
}

/** The module that the thread runs: `.ts` in the source, `.js` in the build. */
const THREAD = new URL(
  `./thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
);

/** Writes batches on a separate thread, one at a time. Keeps the process alive while it writes. */
export class Writer {
  readonly #thread: Worker;
  #done: ((written: Written) => void) | undefined;
  #ended: Written | undefined;

  constructor(folder: string) {
    this.#thread = new Worker(THREAD, { workerData: folder });
    this.#thread.unref();
    this.#thread.on('message', (written: Written) => this.#settle(written));
    this.#thread.on('error', (error) => this.#end(messageOf(error)));
    this.#thread.on('exit', () => this.#end('the writer thread has ended'));
  }

  /** Whether the thread has ended and nothing can be written any more. */
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
