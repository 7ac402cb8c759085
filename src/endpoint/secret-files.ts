import { randomUUID } from 'node:crypto';
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { privateFolder, readPrivate } from '../emulator/private.ts';
import { FanfoldError, messageOf } from '../errors.ts';

const SECRET_MODE = 0o600;
/** Its folder is still its owner's alone; a copy is for everybody. */
const PUBLIC_MODE = 0o644;

/**
 * A file that only its owner may read: what is in it, or else what `make` puts there. Two that make
 * it at once get the same.
 *
 * @throws FanfoldError `BadOption` when others can read it, or it can't be read or made
 */
export function secretFile(path: string, make: () => string): Promise<string> {
  return made(path, readSecret, SECRET_MODE, make);
}

/** Likewise a file that everybody may read. */
export function publicFile(path: string, make: () => string): Promise<string> {
  return made(path, readPublic, PUBLIC_MODE, make);
}

/** Its text; undefined where there is none. @throws FanfoldError `BadOption` */
export function readSecret(path: string): string | undefined {
  return about(path, () => readPrivate(path, 'secret'));
}

/** Likewise of a file that everybody may read, but nobody else write. */
export function readPublic(path: string): string | undefined {
  return about(path, () => readPrivate(path, 'public'));
}

/** Puts a secret in a file's place, whatever was there. */
export function writeSecret(path: string, text: string): Promise<void> {
  return drafted(path, text, SECRET_MODE, (draft) => rename(draft, path));
}

/** Likewise a text for everybody. */
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
  // Unlike a rename, a link never takes the place of what another has put there meanwhile.
  await drafted(path, text, mode, (draft) =>
    link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    }),
  );
  return read(path) ?? text;
}

/** Writes a file of its own, and has it become the one that is meant: whole, or not at all. */
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
  return new FanfoldError('BadOption', `${path} cannot be read or made: ${messageOf(error)}`, {
    cause: error,
  });
}
