import { spawn } from 'node:child_process';

/**
 * Keeps the processes that are to end with this one, and kills them when it is gone. They end by
 * themselves when they hear of it, but one that is in an endless loop hears nothing.
 */
const SCRIPT = 'pids=; while read -r line; do pids=$line; done; [ -z "$pids" ] || kill -9 $pids';

/** Ends worker processes that outlive this one, however it ends: `kill -9` included. */
export class Reaper {
  readonly #pids = new Set<number>();
  // In a session of its own: Ctrl-C on a terminal is for the others.
  readonly #shell = spawn('/bin/sh', ['-c', SCRIPT], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });

  constructor() {
    this.#shell.unref();
    // Where there is no such shell, such processes are not ended.
    this.#shell.on('error', () => {});
    this.#shell.stdin.on('error', () => {});
    (this.#shell.stdin as unknown as { unref?(): void }).unref?.();
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
    this.#shell.stdin.end();
  }

  #tell(): void {
    if (this.#shell.stdin.writable) this.#shell.stdin.write(`${[...this.#pids].join(' ')}\n`);
  }
}
