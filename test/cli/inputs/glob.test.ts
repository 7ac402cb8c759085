import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith, open, read, refusal } from '../../inputs/reading.ts';

const FILES = [
  'top.txt',
  '.dot',
  '!mark.txt',
  '-dash.txt',
  'a/1.txt',
  'a/2.js',
  'a/.hidden/3.txt',
  'a/b/4.txt',
  'a/b/b',
  'a/b/c/d/5.txt',
  'a/new\nline.txt',
  'a/back\\slash.txt',
  'a/{brace}.txt',
  'a/ü €.txt',
  'a/u\u0308.txt',
  'a/\ufffd.txt',
  'a/...',
  'a/B.TXT',
  '.git/config',
  'br[x]/6.txt',
  'brx/7.txt',
  'brx/b',
  'sp ace/8.txt',
];

/** A tree with names and links of all kinds. */
function tree(): Disposable & { path: string } {
  const folder = folderWith(Object.fromEntries(FILES.map((path) => [path, path])));
  const { path } = folder;
  mkdirSync(join(path, 'empty/deeper'), { recursive: true });
  symlinkSync('1.txt', join(path, 'a/link-to-file.txt'));
  symlinkSync('nowhere', join(path, 'a/broken-link.txt'));
  symlinkSync('a', join(path, 'link-to-folder'));
  symlinkSync('../..', join(path, 'a/b/loop'));
  execFileSync('mkfifo', [join(path, 'a/pipe.txt')]);
  return folder;
}

/** The output of `find`. */
function found(cwd: string, ...roots: string[]): unknown[] {
  const options = { cwd, maxBuffer: 1e9, encoding: 'utf8' } as const;
  const printed = execFileSync('find', [...roots, '-type', 'f', '-print0'], options);
  return printed.split('\0').slice(0, -1).sort();
}

async function paths(glob: string, cwd: string): Promise<unknown[]> {
  return (await read({ glob, cwd })).values();
}

describe('a glob', () => {
  it.each(['a', './a', 'a/b', '.git', 'a/b/../b', 'link-to-folder/'])(
    'for all files in %s finds the same files as find',
    async (root) => {
      using folder = tree();
      const expected = found(folder.path, root.endsWith('/') ? root : `${root}/`);
      const slashed = root.endsWith('/') ? root : `${root}/`;
      expect(expected.length).toBeGreaterThan(0);
      expect(await paths(`${slashed}**`, folder.path)).toEqual(expected);
      expect(await paths(`${slashed}**/*`, folder.path)).toEqual(expected);
    },
  );

  it('for everything finds the same files as find', async () => {
    using folder = tree();
    const { path } = folder;
    const expected = found(path, './');
    expect(expected).toHaveLength(FILES.length);
    expect(await paths('./**', path)).toEqual(expected);
    expect(await paths('**', path)).toEqual([...FILES].sort());
    expect(await paths(`${path}/**`, '/')).toEqual(found('/', `${path}/`));
    expect(await paths(`../${path.split('/').at(-1)}/**/*`, path)).toHaveLength(FILES.length);
  });

  it('finds all files of a large package at once', async () => {
    const startedAt = performance.now();
    const opened = await open({ glob: 'node_modules/aws-cdk-lib/**' });
    const ms = performance.now() - startedAt;
    const texts = (await Array.fromAsync(opened.batches())).flat();
    expect(texts.map((text) => JSON.parse(text))).toEqual(found('.', 'node_modules/aws-cdk-lib'));
    expect(opened.total).toBe(texts.length);
    expect(opened.locate(0)).toBeUndefined();
    // About 0.2 s: the limit is for what grows faster than the tree.
    expect(ms).toBeLessThan(5_000);
  });

  it.each([
    ['*', ['!mark.txt', '-dash.txt', '.dot', 'top.txt']],
    ['.*', ['.dot']],
    ['a/b/*', ['a/b/4.txt', 'a/b/b']],
    ['**/b/**', ['a/b/4.txt', 'a/b/b', 'a/b/c/d/5.txt']],
    ['**/d/*', ['a/b/c/d/5.txt']],
    ['*/b/*.txt', ['a/b/4.txt']],
    ['a/?.{js,txt}', ['a/1.txt', 'a/2.js', 'a/\ufffd.txt']],
    ['{a/b,sp ace}/*.txt', ['a/b/4.txt', 'sp ace/8.txt']],
    ['@(a|a/b)/[0-9].txt', ['a/1.txt', 'a/b/4.txt']],
    ['a/{1..4}.*', ['a/1.txt', 'a/2.js']],
    ['a/!(b)/*', ['a/.hidden/3.txt']],
    ['**/[45].txt', ['a/b/4.txt', 'a/b/c/d/5.txt']],
    ['br\\[x\\]/*', ['br[x]/6.txt']],
    ['br\\[x\\]/6.txt', ['br[x]/6.txt']],
    ['br[x]/*', ['br[x]/6.txt', 'brx/7.txt', 'brx/b']],
    ['a/{brace}.txt', ['a/{brace}.txt']],
    ['a/back\\slash.txt', ['a/back\\slash.txt']],
    ['a/back*', ['a/back\\slash.txt']],
    ['!*', ['!mark.txt']],
    ['!mark.txt', ['!mark.txt']],
    ['-dash.txt', ['-dash.txt']],
    ['./top.txt', ['./top.txt']],
    ['a/b/../1.txt', ['a/b/../1.txt']],
  ])('%s', async (glob, expected) => {
    using folder = tree();
    expect(await paths(glob, folder.path)).toEqual(expected);
  });

  it.each(['nothing/**', 'empty/**', '*.nothing', 'top.txt/**', 'a/link-to-file.txt', 'a/pipe*'])(
    'that matches no file is refused: %s',
    async (glob) => {
      using folder = tree();
      const error = await refusal(open({ glob, cwd: folder.path }));
      expect(error.code).toBe('BadInput');
      expect(error.message).toContain(`--glob ${glob} matches no file`);
    },
  );

  it.each(['a', 'a/', '.'])(
    'that is a folder is refused with a working pattern: %s',
    async (glob) => {
      using folder = tree();
      const error = await refusal(open({ glob, cwd: folder.path }));
      expect(error.code).toBe('BadInput');
      expect(error.message).toMatch(/is a folder\. .*--glob '[a.]\/\*\*'/);
    },
  );

  // Linux accepts any bytes as a name; other systems may refuse to create such a file.
  it.runIf(process.platform === 'linux')('refuses names that are not UTF-8', async () => {
    using folder = folderWith({ 'fine/a.txt': '' });
    const at = (name: Buffer) => Buffer.concat([Buffer.from(`${folder.path}/`), name]);
    writeFileSync(at(Buffer.from('file-\xff.txt', 'latin1')), '');
    mkdirSync(at(Buffer.from('folder-\xe4', 'latin1')));
    for (const glob of ['**', '*.txt', '*/*']) {
      const error = await refusal(open({ glob, cwd: folder.path }));
      expect(error.code).toBe('BadInput');
      expect(error.message).toMatch(/the name (file|folder)-\ufffd.* not UTF-8.* Rename it\.$/);
    }
    // Folders that the pattern excludes are not read, so their names do not matter.
    for (const glob of ['fine/*', 'fin*/**', 'fin*/*', '[a-f]ine/**/*.txt']) {
      expect(await paths(glob, folder.path)).toEqual(['fine/a.txt']);
    }
  });
});
