import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * Remembers the process groups on the last line of standard input, and kills them at its end, when
 * this process is gone. Workers exit by themselves when the channel closes, but one in an endless
 * loop never notices.
 */
const SCRIPT =
  'groups=; while read -r line; do groups=$line; done; for group in $groups; do kill -9 -$group; done';

/** Kills worker processes that outlive this one, even after `kill -9`. */
export class Reaper {
  readonly #pids = new Set<number>();
  // In a session of its own, so that Ctrl-C on a terminal doesn't end it.
  readonly #shell = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });

  /** Undefined if the shell could not be started. */
  get #stdin(): Writable | undefined {
    return this.#shell.stdin;
  }

  constructor() {
    this.#shell.unref();
    // Without such a shell, or without room for it, such processes are not killed.
    this.#shell.on('error', () => {});
    this.#stdin?.on('error', () => {});
    (this.#stdin as { unref?(): void } | undefined)?.unref?.();
  }

  watch(pid: number): void {
    this.#pids.add(pid);
    this.#tell();
  }

  /** Removes a process that has ended: the system may soon reuse its pid. */
  forget(pid: number): void {
    this.#pids.delete(pid);
    this.#tell();
  }

  close(): void {
    this.#stdin?.end();
  }

  #tell(): void {
    if (this.#stdin?.writable) this.#stdin.write(`${[...this.#pids].join(' ')}\n`);
  }
}
