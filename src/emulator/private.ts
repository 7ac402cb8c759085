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

/** Undefined on Windows, where files have access control lists instead of owners and modes. */
const me = process.geteuid?.();

/** Missing on Windows. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** Rights of other users, as bits of a mode. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const EVERYBODY = 0o007;
const EVERYBODY_WRITES = 0o002;
/** On a folder in which only a file's owner can rename it, such as /tmp. */
const STICKY = 0o1000;

/** The files of a store in its folder. */
const STORED = /^(queues\.sqlite(-[a-z.]+)?|lock|commits)$/;
/** Fanfold's other files there, which are checked when they are read. */
const OTHERS_OF_OURS = /^(credentials|key\.pem|certificate\.pem|join-\d|objects$)/;

/**
 * Makes a folder, and the files of a store in it, accessible to its owner only. Creates the folder
 * if it does not exist. Its content then can't belong to another user, nor lead to a file
 * elsewhere. A link to the folder is followed if it belongs to this user or to root.
 *
 * @throws FanfoldError `BadOption` if others could read or change its content
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
 * Creates a folder and its parents. Node's own recursive mkdir never ends if the parent exists and
 * the folder can't be created, as in /proc.
 */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have created it meanwhile.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

/** Refuses a link of another user in a path: its target could change at any time. */
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
      `Everyone can write to ${parent} (mode ${octal(mode)}), and so replace ${path} by another folder: chmod o-w ${parent}, or name a folder elsewhere`,
    );
  }
  checkParents(parent);
}

function makePrivate(path: string, isOurs: boolean): void {
  const found = statSync(path);
  const { mode } = found;
  if (!isMine(found) && found.uid !== ROOT) {
    // Its owner could replace a file by a link at any time, to lead root to another's file.
    const asOwner = `run as its owner (in a container, --user ${found.uid}:${found.gid})`;
    throw refused(
      `${path} belongs to ${userOf(found)}, and this process runs as ${me === ROOT ? 'root' : `user ${me}`}: ${asOwner}, chown ${me} ${path}, or name another folder`,
    );
  }
  if ((mode & OTHERS) === 0) return;
  if (!isMine(found)) {
    // The administrator may have given it to a group, as Kubernetes does with volumes.
    if ((mode & EVERYBODY) === 0) return;
    throw refused(
      `${path} belongs to root, and everyone can use it (mode ${octal(mode)}): chown ${me} it, or chmod o-rwx it`,
    );
  }
  if (!isOurs) {
    // For example a project's folder: private files are safe in it if only its owner can write.
    if ((mode & OTHERS_WRITE) === 0) return;
    throw refused(
      `Others can write to ${path} (mode ${octal(mode)}), which also holds other files: chmod go-w it, or name a separate folder`,
    );
  }
  chmodSync(path, 0o700);
  if ((statSync(path).mode & OTHERS) === 0) return;
  throw refused(
    `Others can use ${path} (mode ${octal(mode)}), and its file system cannot change that: name a folder elsewhere`,
  );
}

/**
 * Uses the path, since no other user can replace the file. The file is not opened: closing it would
 * release the locks that SQLite has on it in this process
 * (https://www.sqlite.org/howtocorrupt.html).
 */
function makeFilePrivate(path: string): void {
  const found = lstatSync(path);
  checkOwn(path, found);
  if (found.nlink > 1) {
    throw refused(
      `${path} has ${found.nlink} hard links, and a write would change all of them: replace it by a copy`,
    );
  }
  if ((found.mode & OTHERS) !== 0) chmodSync(path, 0o600);
}

/** Creates an empty file that only its owner can read, unless the file exists. */
export function makePrivateFile(path: string): void {
  try {
    closeSync(openPrivate(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * Opens a file that belongs to this user and is not a link.
 *
 * @throws FanfoldError `BadOption`; the file system's errors
 */
export function openPrivate(path: string, flags: number): number {
  let fd: number;
  try {
    // Without O_NONBLOCK, opening a pipe would wait.
    fd = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (error) {
    // FreeBSD reports EMLINK for a link, and a socket can't be opened.
    if (!/^(ELOOP|EMLINK|ENXIO)$/.test(String((error as NodeJS.ErrnoException).code))) throw error;
    throw refused(`${path} is a link, or not a file: remove it`);
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
  if (found.isSymbolicLink()) throw refused(`${path} is a link, or not a file: remove it`);
  if (!found.isFile()) throw refused(`${path} is not a file: remove it`);
  if (isMine(found)) return;
  throw refused(
    `${path} belongs to ${userOf(found)}, and this process runs as user ${me}: chown ${me} it, or remove it`,
  );
}

/**
 * The text of a file that no other user can write to or, if it is secret, read; undefined if there
 * is no such file.
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
        `${path} holds a secret, and users other than its owner can read it: chmod 600 it, or delete it to create a new secret`,
      );
    }
    if (me !== undefined && (mode & OTHERS_WRITE) !== 0) {
      throw refused(`Others can write to ${path}: chmod go-w it, or delete it to create a new one`);
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
