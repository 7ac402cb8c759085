import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Which message a worker process works on, where its supervisor finds it whatever became of the
 * process: in a file without a name, which both have open. To tell it by their channel would cost a
 * small input ten times as much as it costs to run it.
 */
export interface Mark {
  /** The file, for the process to inherit; undefined where none could be made. */
  readonly file: number | undefined;
  /** How many messages the process has begun; undefined where that can't be known. */
  read(): number | undefined;
  close(): void;
}

/** Where the process finds the file: behind its channel. */
const MARK_FILE = 4;

export function openMark(): Mark {
  let file: number | undefined;
  try {
    const folder = mkdtempSync(join(tmpdir(), 'fanfold-'));
    try {
      file = openSync(join(folder, 'mark'), 'w+');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } catch {
    // Without a place for it, what a dead process had in hand is found out by whoever has it next.
  }
  const bytes = new Uint32Array(1);
  return {
    file,
    read() {
      if (file === undefined) return undefined;
      readSync(file, bytes, 0, 4, 0);
      return bytes[0];
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** In the process: marks how many messages it has begun. */
export function marking(): (begun: number) => void {
  const bytes = new Uint32Array(1);
  return (begun) => {
    bytes[0] = begun;
    writeSync(MARK_FILE, bytes, 0, 4, 0);
  };
}
