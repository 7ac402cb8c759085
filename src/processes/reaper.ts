import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * Keeps the processes that are to end with this one, and kills their groups when it is gone. They end
 * by themselves when they hear of it, but one that is in an endless loop hears nothing.
 */
const SCRIPT =
  'groups=; while read -r line; do groups=$line; done; for group in $groups; do kill -9 -$group; done';

/** Ends worker processes that outlive this one, however it ends: `kill -9` included. */
export class Reaper {
  readonly #pids = new Set<number>();
  // In a session of its own: Ctrl-C on a terminal is for the others.
  readonly #shell = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });

  /** Undefined where the shell could not be started. */
  get #stdin(): Writable | undefined {
    return this.#shell.stdin;
  }

  constructor() {
    this.#shell.unref();
    // Where there is no such shell, or no room for it, such processes are not ended.
    this.#shell.on('error', () => {});
    this.#stdin?.on('error', () => {});
    (this.#stdin as { unref?(): void } | undefined)?.unref?.();
  }

  watch(pid: number): void {
    this.#pids.add(pid);
    this.#tell();
  }

  /** A process has ended: its number may be another's soon. */
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
