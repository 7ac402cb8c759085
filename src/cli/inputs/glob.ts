import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import picomatch from 'picomatch';
import { FanfoldError } from '../../index.ts';
import type { OpenedInputs } from './opened.ts';

const BATCH = 1_000;

/**
 * Paths of regular files, sorted. Files whose names begin with a dot are found like others, and
 * symbolic links are not followed: `DIR/**` finds what `find DIR -type f` does.
 */
export function openGlob(pattern: string): OpenedInputs {
  const paths = filesOf(pattern);
  if (paths.length === 0) {
    throw new FanfoldError(
      'BadInput',
      `--glob ${pattern} matches no file. Quote the pattern, so that the shell leaves it alone, and mind that ** is what goes into folders.`,
    );
  }
  return {
    total: paths.length,
    locate: () => undefined,
    close() {},
    async *batches() {
      for (let from = 0; from < paths.length; from += BATCH) {
        yield paths.slice(from, from + BATCH).map((path) => JSON.stringify(path));
      }
    },
  };
}

function filesOf(pattern: string): string[] {
  if (pattern === '') throw new FanfoldError('BadOption', '--glob is empty: give a pattern.');
  const { base, glob, prefix = '' } = picomatch.scan(pattern);
  if (glob === '') return plainFile(pattern);
  const matches = picomatch(pattern.slice(prefix.length), { dot: true });
  const root = base === '' ? '.' : base;
  // Below its base, a pattern without ** reaches as deep as it has parts.
  const depth = glob.includes('**') ? Number.POSITIVE_INFINITY : glob.split('/').length;
  const paths: string[] = [];
  walk(prefix + root, base === '' ? '' : `${base.replace(/\/$/, '')}/`, depth, (path) => {
    if (matches(path)) paths.push(prefix + path);
  });
  return paths.sort();
}

/** A pattern without any magic is a file's path. */
function plainFile(path: string): string[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) {
    throw new FanfoldError(
      'BadInput',
      `--glob ${path} is a folder; all files in it are --glob '${path.replace(/\/$/, '')}/**'.`,
    );
  }
  return stats?.isFile() ? [path] : [];
}

function walk(folder: string, prefix: string, depth: number, found: (path: string) => void): void {
  for (const entry of entriesOf(folder)) {
    const path = `${prefix}${entry.name}`;
    if (entry.isFile()) {
      if (entry.name.includes('\ufffd')) throw unnamable(path);
      found(path);
    } else if (entry.isDirectory() && depth > 1) {
      walk(`${folder.replace(/\/$/, '')}/${entry.name}`, `${path}/`, depth - 1, found);
    }
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    // What is not there has no files; so says the caller.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new FanfoldError('BadInput', `--glob: the folder ${folder} cannot be read: ${message}.`, {
      cause,
    });
  }
}

/** Node gives such a name with its bytes replaced, so that the file could not be opened by it. */
function unnamable(path: string): FanfoldError {
  return new FanfoldError(
    'BadInput',
    `--glob: the name of the file ${path} is not UTF-8, so it can be no JSON text. Rename it.`,
  );
}
