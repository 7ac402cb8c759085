import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import picomatch from 'picomatch';
import { FanfoldError } from '../../index.ts';
import type { OpenedInputs } from '../../inputs/opened.ts';
import { reasonOf } from './reason.ts';

const BATCH = 1_000;

/**
 * Opens the paths of matching regular files as inputs, sorted by UTF-16 units. Files whose names
 * start with a dot match like others. Symbolic links are neither listed nor followed, except at the
 * fixed start of the pattern: `DIR/**` finds what `find DIR/ -type f` does.
 */
export function openGlob(
  pattern: string,
  cwd: string,
): OpenedInputs & { paths: readonly string[] } {
  const paths = filesOf(pattern, cwd);
  if (paths.length === 0) {
    throw new FanfoldError(
      'BadInput',
      `--glob ${pattern} matches no file. Quote the pattern, so that the shell does not expand it, and use ** to match files in subfolders.`,
    );
  }
  return {
    paths,
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

const OPTIONS = {
  dot: true,
  // No negation: "!" is an ordinary character.
  nonegate: true,
  // "**/x/**" matches the content of x, but not a file x.
  strictSlashes: true,
  // File names may contain line breaks, which "." matches only with this flag.
  flags: 's',
};

function filesOf(pattern: string, cwd: string): string[] {
  if (pattern === '') throw new FanfoldError('BadOption', '--glob is empty: give a pattern.');
  const { base, glob, prefix = '' } = picomatch.scan(pattern, OPTIONS);
  const unescaped = base.replaceAll(/\\(.)/gs, '$1');
  if (glob === '') {
    const path = prefix + unescaped;
    return isFile(pattern, cwd) ? [pattern] : isFile(path, cwd) ? [path] : [];
  }
  const root = unescaped === '' || unescaped.endsWith('/') ? unescaped : `${unescaped}/`;
  const matches = picomatch(pattern.slice(prefix.length), OPTIONS);
  const paths: string[] = [];
  const walk = (folder: string, depth: number) => {
    for (const entry of entriesOf(prefix + folder, cwd)) {
      const path = folder + entry.name;
      if (entry.isFile() ? !matches(path) : !(entry.isDirectory() && mayHold(entry.name, depth))) {
        continue;
      }
      if (entry.name.includes('\ufffd')) checkName(prefix + path, cwd);
      if (entry.isFile()) paths.push(prefix + path);
      else walk(`${path}/`, depth + 1);
    }
  };
  const mayHold = folderMatcher(glob);
  walk(root, 0);
  return paths.sort();
}

/** Returns a predicate: whether a folder at a depth below the pattern's base can hold matches. */
function folderMatcher(glob: string): (name: string, depth: number) => boolean {
  const parts = glob.split('/');
  // Up to here, each folder is one part of the pattern. Braces or parentheses may span several.
  const open = parts.findIndex((part) => part.includes('**') || /[{(\\]/.test(part));
  const plain = parts.slice(0, open === -1 ? -1 : open).map((part) => picomatch(part, OPTIONS));
  const deepest = glob.includes('**') ? Number.POSITIVE_INFINITY : parts.length - 1;
  return (name, depth) => depth < deepest && (plain[depth]?.(name) ?? true);
}

function isFile(path: string, cwd: string): boolean {
  const stats = lstatSync(resolve(cwd, path), { throwIfNoEntry: false });
  if (stats?.isDirectory()) {
    throw new FanfoldError(
      'BadInput',
      `--glob ${path} is a folder. To match all files in it: --glob '${path.replace(/\/$/, '')}/**'.`,
    );
  }
  return stats?.isFile() ?? false;
}

function entriesOf(folder: string, cwd: string): Dirent[] {
  try {
    return readdirSync(resolve(cwd, folder), { withFileTypes: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // A missing folder has no files, which the caller reports.
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    const why = `--glob: the folder ${folder} cannot be read: ${reasonOf(cause)}.`;
    throw new FanfoldError('BadInput', why, { cause });
  }
}

/** Refuses names that are not UTF-8: Node replaces such bytes, so the file can't be opened. */
function checkName(path: string, cwd: string): void {
  if (lstatSync(resolve(cwd, path), { throwIfNoEntry: false }) !== undefined) return;
  throw new FanfoldError(
    'BadInput',
    `--glob: the name ${path} has bytes that are not UTF-8 (shown as \ufffd), so it cannot be JSON text. Rename it.`,
  );
}
