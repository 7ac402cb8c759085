import { hash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { FanfoldError } from '../../errors.ts';
import { type FileLock, lockFile } from '../file-lock.ts';
import { openPrivate, privateFolder } from '../private.ts';
import { type Content, type Facts, nameOf, type Storage } from './storage.ts';

/** What the end of a file tells about the bytes before it. */
interface Label {
  shelf: string;
  key: string;
  facts: Facts;
}

/** Bytes at the very end, which hold the length of the label. */
const LENGTH_BYTES = 4;

const FILE = /^[\da-f]{64}$/;

export interface FolderOptions {
  /** True if objects are on disk before their caller has its answer. @default true */
  durable?: boolean;
  /** Age at which objects are deleted when the folder is opened, in milliseconds. @default none */
  maxAgeMs?: number;
}

/**
 * Keeps objects in a folder, each in a file of its own: the object's bytes, then its label as JSON,
 * then the label's length. A file is written under another name and then renamed, and both are on
 * disk before the caller has its answer.
 *
 * One process at a time can use the folder. Others reach the objects by its S3.
 *
 * @throws FanfoldError `StoreInUse`, `DamagedStore`, or `BadOption` for a folder that others can use
 */
export function openFolder(folder: string, options: FolderOptions = {}): Storage {
  privateFolder(folder);
  const lock = lockFile(join(folder, 'lock'));
  if (lock) return opened(folder, lock, options);
  const message = `Another process uses the objects in ${folder}: end it, or name another folder.`;
  throw new FanfoldError('StoreInUse', message);
}

/** A folder that can't be read is not locked any longer. */
function opened(folder: string, lock: FileLock, options: FolderOptions): Storage {
  try {
    return new Folder(folder, lock, options);
  } catch (error) {
    lock.release();
    throw error;
  }
}

class Folder implements Storage {
  readonly #folder: string;
  readonly #lock: FileLock;
  readonly #durable: boolean;
  /** Until they are taken. */
  readonly #labels: Label[];

  constructor(folder: string, lock: FileLock, { durable = true, maxAgeMs }: FolderOptions) {
    this.#folder = folder;
    this.#lock = lock;
    this.#durable = durable;
    const names = readdirSync(folder);
    // A process that was killed may have left a file that was never renamed.
    for (const name of names) if (name.endsWith('.new')) rmSync(join(folder, name));
    const labels = names.filter((name) => FILE.test(name)).map((name) => this.#labelOf(name));
    const since = Date.now() - (maxAgeMs ?? Number.POSITIVE_INFINITY);
    this.#labels = labels.filter(({ facts }) => facts.modifiedAt >= since);
    for (const { shelf, key, facts } of labels)
      if (facts.modifiedAt < since) this.remove(shelf, key);
  }

  all(): Label[] {
    return this.#labels.splice(0);
  }

  write(shelf: string, key: string, facts: Facts, content: Content): void {
    const path = this.#pathOf(shelf, key);
    const label = Buffer.from(JSON.stringify({ shelf, key, facts } satisfies Label));
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(label.length);
    const { O_WRONLY, O_CREAT, O_TRUNC } = constants;
    const fd = openPrivate(`${path}.new`, O_WRONLY | O_CREAT | O_TRUNC);
    try {
      for (const part of [...content, label, length]) writeAll(fd, part);
      if (this.#durable) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(`${path}.new`, path);
    this.#sync();
  }

  read(shelf: string, key: string, start: number, end: number): Uint8Array {
    const fd = openPrivate(this.#pathOf(shelf, key), constants.O_RDONLY);
    try {
      return readAll(fd, start, end);
    } finally {
      closeSync(fd);
    }
  }

  remove(shelf: string, key: string): void {
    rmSync(this.#pathOf(shelf, key), { force: true });
    this.#sync();
  }

  close(): void {
    this.#lock.release();
  }

  /** A hash, since a key can be longer than a file's name, and have any character. */
  #pathOf(shelf: string, key: string): string {
    return join(this.#folder, hash('sha256', nameOf(shelf, key)));
  }

  #labelOf(name: string): Label {
    const path = join(this.#folder, name);
    const fd = openPrivate(path, constants.O_RDONLY);
    try {
      const end = fstatSync(fd).size - LENGTH_BYTES;
      const length = Buffer.from(readAll(fd, end, end + LENGTH_BYTES)).readUInt32BE();
      const text = Buffer.from(readAll(fd, end - length, end)).toString();
      const label: Label = JSON.parse(text);
      if (hash('sha256', nameOf(label.shelf, label.key)) !== name) throw new Error(text);
      if (label.facts.size !== end - length) throw new Error(text);
      return label;
    } catch (cause) {
      const message = `${path} is not an object as Fanfold wrote it: remove it, or restore it from a copy.`;
      throw new FanfoldError('DamagedStore', message, { cause });
    } finally {
      closeSync(fd);
    }
  }

  /** Renames and removals are on disk once their folder is. Windows can't open folders. */
  #sync(): void {
    if (process.platform === 'win32' || !this.#durable) return;
    const fd = openSync(this.#folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

function readAll(fd: number, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start);
  for (let at = 0; at < bytes.length; ) {
    const read = readSync(fd, bytes, at, bytes.length - at, start + at);
    if (read === 0) throw new Error(`The file ends before byte ${end}.`);
    at += read;
  }
  return bytes;
}
