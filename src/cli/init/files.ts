import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FanfoldError } from '../../index.ts';
import { reasonOf } from '../inputs/reason.ts';

/** A folder and the ones above it. */
export function* upwards(folder: string): Generator<string> {
  for (let each = resolve(folder); ; each = dirname(each)) {
    yield each;
    if (dirname(each) === each) return;
  }
}

/** The text of a file; undefined if there is none. @throws FanfoldError `BadOption` */
export function textOf(folder: string, path: string): string | undefined {
  const file = join(folder, path);
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw refusal(`${file} cannot be read: ${reasonOf(cause)}`, cause);
  }
}

/** Refuses to start where a file cannot be written. @throws FanfoldError `BadOption` */
export function checkWritable(folder: string, path: string): void {
  let existing = join(folder, path);
  while (!existsSync(existing)) existing = dirname(existing);
  const isFile = existing === join(folder, path);
  if (!isFile && !statSync(existing).isDirectory()) {
    throw refusal(`${path} cannot be written: ${existing} is a file, and must be a folder`);
  }
  attempt(path, () => accessSync(existing, constants.W_OK));
}

/** Writes a file, and the folders above it. @param flag `wx`: never over one that exists */
export function write(folder: string, path: string, text: string, flag: 'w' | 'wx'): void {
  const file = join(folder, path);
  attempt(path, () => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { flag });
  });
}

function attempt(path: string, action: () => void): void {
  try {
    action();
  } catch (cause) {
    throw refusal(`${path} cannot be written: ${reasonOf(cause)}`, cause);
  }
}

function refusal(what: string, cause?: unknown): FanfoldError {
  return new FanfoldError('BadOption', `${what}. Correct that, and try again.`, { cause });
}
