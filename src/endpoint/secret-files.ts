import { randomUUID } from 'node:crypto';
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { privateFolder, readPrivate } from '../emulator/private.ts';
import { FanfoldError, messageOf } from '../errors.ts';

const SECRET_MODE = 0o600;
/** The folder still belongs to its owner alone, but a copy of the file may be given to anyone. */
const PUBLIC_MODE = 0o644;

/**
 * Reads a file that only its owner may read; creates it with the text of `make` if it is missing.
 * Two processes that create it at once get the same text.
 *
 * @throws FanfoldError `BadOption` when others can read it, or it can't be read or made
 */
export function secretFile(path: string, make: () => string): Promise<string> {
  return made(path, readSecret, SECRET_MODE, make);
}

/** Like `secretFile`, for a file that everyone may read. */
export function publicFile(path: string, make: () => string): Promise<string> {
  return made(path, readPublic, PUBLIC_MODE, make);
}

/** Reads a secret file; undefined if there is none. @throws FanfoldError `BadOption` */
export function readSecret(path: string): string | undefined {
  return about(path, () => readPrivate(path, 'secret'));
}

/** Like `readSecret`, for a file that everyone may read but only its owner may write. */
export function readPublic(path: string): string | undefined {
  return about(path, () => readPrivate(path, 'public'));
}

/** Writes a secret to a file, replacing it if it exists. */
export function writeSecret(path: string, text: string): Promise<void> {
  return drafted(path, text, SECRET_MODE, (draft) => rename(draft, path));
}

/** Like `writeSecret`, for a file that everyone may read. */
export function writePublic(path: string, text: string): Promise<void> {
  return drafted(path, text, PUBLIC_MODE, (draft) => rename(draft, path));
}

async function made(
  path: string,
  read: (path: string) => string | undefined,
  mode: number,
  make: () => string,
): Promise<string> {
  const found = read(path);
  if (found !== undefined) return found;
  const text = make();
  // Unlike a rename, a link never replaces a file that another process has just created.
  await drafted(path, text, mode, (draft) =>
    link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    }),
  );
  return read(path) ?? text;
}

/** Writes a temporary file and lets `become` move it into place, so that no partial file exists. */
async function drafted(
  path: string,
  text: string,
  mode: number,
  become: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    privateFolder(dirname(path));
    await writeFile(draft, text, { mode, flag: 'wx' });
    await become(draft);
  } catch (error) {
    throw unusable(path, error);
  } finally {
    await rm(draft, { force: true }).catch(() => {});
  }
}

function about<Result>(path: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): FanfoldError {
  if (error instanceof FanfoldError) return error;
  return new FanfoldError('BadOption', `${path} cannot be read or created: ${messageOf(error)}`, {
    cause: error,
  });
}
