import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FanfoldError } from '../errors.ts';

const ROOT = 0;

/** Undefined where files have no owners and modes: on Windows, whose folders have lists of rights. */
const me = process.geteuid?.();

/** Not there on Windows. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** What others may do, as bits of a mode. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const EVERYBODY = 0o007;
const EVERYBODY_WRITES = 0o002;
/** Of a folder in which only a file's owner may rename it, such as /tmp. */
const STICKY = 0o1000;

/** What a store keeps in its folder. */
const STORED = /^(queues\.sqlite(-[a-z.]+)?|lock|commits)$/;
/** What else is Fanfold's there, and is checked when it is read. */
const OTHERS_OF_OURS = /^(credentials|key\.pem|certificate\.pem|join-\d)/;

/**
 * Makes a folder its owner's alone, and the files of a store in it; makes it where there is none.
 * What is in it then cannot be another's, nor a way to a file elsewhere. A link to the folder is
 * followed, if it is its user's.
 *
 * @throws FanfoldError `BadOption` when others could read or change what is in it
 */
export function privateFolder(folder: string): void {
  checkLinks(resolve(folder));
  makeFolder(resolve(folder));
  if (me === undefined) return;
  const path = realpathSync(folder);
  checkParents(path);
  const names = readdirSync(path);
  const isOurs = names.every((name) => STORED.test(name) || OTHERS_OF_OURS.test(name));
  makePrivate(path, isOurs);
  for (const name of names) if (STORED.test(name)) makeFilePrivate(join(path, name));
}

/**
 * Makes a folder and those above it. Node's own recursive mkdir never ends where the parent is there
 * and the folder can't be made, as in /proc.
 */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** A link of another user's in the way to a folder may lead to another at any time. */
function checkLinks(path: string): void {
  const above = dirname(path);
  if (above !== path) checkLinks(above);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found?.isSymbolicLink() || isMine(found) || found.uid === ROOT) return;
  throw refused(`${path} is a link that belongs to ${userOf(found)}: name the folder itself`);
}

function checkParents(path: string): void {
  const parent = dirname(path);
  if (parent === path) return;
  const { mode } = statSync(parent);
  if ((mode & EVERYBODY_WRITES) !== 0 && (mode & STICKY) === 0) {
    throw refused(
      `Everybody may write to ${parent} (mode ${octal(mode)}), and so put another folder in the place of ${path}: chmod o-w ${parent}, or name a folder elsewhere`,
    );
  }
  checkParents(parent);
}

function makePrivate(path: string, isOurs: boolean): void {
  const found = statSync(path);
  const { mode } = found;
  if (!isMine(found) && found.uid !== ROOT) {
    // Its owner may at any time put a link in the place of a file, which leads root to another's.
    const asOwner = `run as its owner (in a container, --user ${found.uid}:${found.gid})`;
    throw refused(
      `${path} belongs to ${userOf(found)}, and this process is of ${me === ROOT ? 'root' : `user ${me}`}: ${asOwner}, chown ${me} ${path}, or name another folder`,
    );
  }
  if ((mode & OTHERS) === 0) return;
  if (!isMine(found)) {
    // The administrator's, who may have given it to a group, as Kubernetes does with volumes.
    if ((mode & EVERYBODY) === 0) return;
    throw refused(
      `${path} belongs to root, and everybody can use it (mode ${octal(mode)}): chown ${me} it, or chmod o-rwx it`,
    );
  }
  if (!isOurs) {
    // Such as a project's: files in it are private by themselves, while only its owner writes there.
    if ((mode & OTHERS_WRITE) === 0) return;
    throw refused(
      `Others can write to ${path} (mode ${octal(mode)}), which holds other files as well: chmod go-w it, or name a folder of its own`,
    );
  }
  chmodSync(path, 0o700);
  if ((statSync(path).mode & OTHERS) === 0) return;
  throw refused(
    `Others can use ${path} (mode ${octal(mode)}), and its file system has no other modes: name a folder elsewhere`,
  );
}

/**
 * By its path, since nobody else can put another in its place. It is not opened: closing it would
 * end the locks that SQLite has on it in this process (https://www.sqlite.org/howtocorrupt.html).
 */
function makeFilePrivate(path: string): void {
  const found = lstatSync(path);
  checkOwn(path, found);
  if (found.nlink > 1) {
    throw refused(
      `${path} has ${found.nlink} names (hard links), and what is written to it would be written to all: put a copy in its place`,
    );
  }
  if ((found.mode & OTHERS) !== 0) chmodSync(path, 0o600);
}

/** Makes an empty file that only its owner may read, where there is none. */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openPrivate(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * Opens a file that is this user's own, and no link to another.
 *
 * @throws FanfoldError `BadOption`; the file system's errors
 */
export function openPrivate(path: string, flags: number): number {
  let fd: number;
  try {
    // A pipe would keep its opener waiting.
    fd = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (error) {
    // FreeBSD says EMLINK of a link, and a socket cannot be opened.
    if (!/^(ELOOP|EMLINK|ENXIO)$/.test(String((error as NodeJS.ErrnoException).code))) throw error;
    throw refused(`${path} is a link, or no file: remove it`);
  }
  try {
    checkOwn(path, fstatSync(fd));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function checkOwn(path: string, found: Stats): void {
  if (found.isSymbolicLink()) throw refused(`${path} is a link, or no file: remove it`);
  if (!found.isFile()) throw refused(`${path} is no file: remove it`);
  if (isMine(found)) return;
  throw refused(
    `${path} belongs to ${userOf(found)}, and this process is of user ${me}: chown ${me} it, or remove it`,
  );
}

/**
 * The text of a file that nobody else has written, nor may read if it is secret; undefined where
 * there is none.
 *
 * @throws FanfoldError `BadOption`; the file system's errors
 */
export function readPrivate(path: string, kind: 'secret' | 'public'): string | undefined {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  const fd = openPrivate(path, constants.O_RDONLY);
  try {
    const { mode } = fstatSync(fd);
    if (me !== undefined && kind === 'secret' && (mode & OTHERS) !== 0) {
      throw refused(
        `${path} holds a secret, and others than its owner can read it: chmod 600 it, or delete it for a new secret`,
      );
    }
    if (me !== undefined && (mode & OTHERS_WRITE) !== 0) {
      throw refused(`Others can write to ${path}: chmod go-w it, or delete it for a new one`);
    }
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function isMine({ uid }: Stats): boolean {
  return me === undefined || uid === me;
}

function userOf({ uid }: Stats): string {
  return uid === ROOT ? 'root' : `user ${uid}`;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8);
}

function refused(sentence: string): FanfoldError {
  return new FanfoldError('BadOption', `${sentence}.`);
}
