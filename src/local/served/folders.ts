import { chmod, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { FanfoldError, messageOf } from '../../errors.ts';

/** This user's folder for what Fanfold has to remember, such as how to reach servers here. */
export function userFolder(): string {
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'fanfold');
}

/** Where a server on a port of this machine leaves word for this user's commands. */
export function joinFile(port: number): string {
  return join(userFolder(), `join-${port}`);
}

/**
 * A file that only its owner may read: what is in it, or else what `make` puts there. Two that make
 * it at once get the same.
 *
 * @throws FanfoldError `BadOption` when others can read it, or it can't be read or made
 */
export async function secretFile(path: string, make: () => Promise<string>): Promise<string> {
  const found = await readSecret(path);
  if (found !== undefined) return found;
  const made = await make();
  const draft = `${path}.${crypto.randomUUID()}`;
  try {
    await writeSecret(draft, made);
    // Unlike a rename, a link never takes the place of what another has put there meanwhile.
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw unusable(path, error);
  } finally {
    await rm(draft, { force: true }).catch(() => {});
  }
  return (await readSecret(path)) ?? made;
}

/** Its text; undefined where there is none. @throws FanfoldError `BadOption` */
export async function readSecret(path: string): Promise<string | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    const { mode } = await stat(path);
    if (process.platform === 'win32' || (mode & 0o077) === 0) return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
  throw new FanfoldError(
    'BadOption',
    `${path} holds a secret, and others than its owner can read it: chmod 600 it, or delete it for a new secret.`,
  );
}

export async function writeSecret(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, text, { mode: 0o600 });
  // An old file keeps its mode when it is written to.
  await chmod(path, 0o600);
}

function unusable(path: string, error: unknown): FanfoldError {
  return new FanfoldError(
    'BadOption',
    `${path} is to hold a secret, and cannot be read or made: ${messageOf(error)}`,
    { cause: error },
  );
}
