import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openStore, Sqs } from '../../src/emulator/sqs/index.ts';
import { secretIn } from '../../src/endpoint/secret.ts';
import { readSecret, writeSecret } from '../../src/endpoint/secret-files.ts';
import { certificateIn } from '../../src/serve/certificate.ts';

/** An unused user id. */
const OTHER = 54_321;

const isRoot = process.geteuid?.() === 0;

const modeOf = (path: string) => statSync(path).mode & 0o7777;

/** Opens the files in a server's folder, as the server does. */
async function open(folder: string): Promise<void> {
  await new Sqs({ store: openStore(folder) }).close();
  await secretIn(folder);
  await certificateIn(folder);
}

describe.skipIf(process.platform === 'win32')('a data folder', () => {
  let above: string;
  let folder: string;
  beforeEach(() => {
    above = mkdtempSync(join(tmpdir(), 'fanfold-private-'));
    folder = join(above, 'data');
    const made = above;
    onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  });

  it.skipIf(process.platform !== 'linux')('that cannot be created is refused at once', () => {
    for (const path of ['/proc/nowhere', '/proc/nowhere/data']) {
      expect(() => openStore(path)).toThrow(/Expected a folder .*\/proc\/nowhere/);
    }
  });

  it('stays locked for other processes when its secret is read', async () => {
    const store = openStore(folder);
    onTestFinished(() => store.close());
    await secretIn(folder);
    const open = `import { openStore } from '${resolve('src/emulator/sqs/index.ts')}';
      try { openStore('${folder}'); } catch ({ code }) { console.log(code); }`;
    const args = ['--input-type=module', '--eval', open];
    expect(execFileSync(process.execPath, args, { encoding: 'utf8' })).toBe('StoreInUse\n');
  });

  it('belongs to its owner only, whatever its mode was', async () => {
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    await open(folder);
    expect(modeOf(folder)).toBe(0o700);
    const stored = ['commits', 'lock', 'queues.sqlite'];
    for (const mode of [0o777, 0o755, 0o1777]) {
      chmodSync(folder, mode);
      for (const name of stored) chmodSync(join(folder, name), 0o666);
      await open(folder);
      expect(modeOf(folder)).toBe(0o700);
      for (const name of [...stored, 'credentials', 'key.pem']) {
        expect(modeOf(join(folder, name)), name).toBe(0o600);
      }
    }
    const store = openStore(folder);
    expect(modeOf(join(folder, 'queues.sqlite-wal'))).toBe(0o600);
    await store.close();
  });

  it('with other files keeps its mode if only its owner can write to it', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'notes'), '');
    chmodSync(folder, 0o755);
    await open(folder);
    expect(modeOf(folder)).toBe(0o755);
    expect(modeOf(join(folder, 'commits'))).toBe(0o600);
    chmodSync(folder, 0o775);
    await expect(open(folder)).rejects.toThrow(
      /Others can write to .+ which also holds other files/,
    );
  });

  it('with a link or hard link among its files is refused', async () => {
    await open(folder);
    const mine = join(above, 'mine');
    for (const name of [
      ...['commits', 'lock', 'queues.sqlite', 'queues.sqlite-wal'],
      ...['credentials', 'key.pem', 'certificate.pem'],
    ]) {
      const path = join(folder, name);
      const before = statSync(path, { throwIfNoEntry: false }) && readFileSync(path);
      const { mode } = statSync(path, { throwIfNoEntry: false }) ?? { mode: 0 };
      for (const plant of [symlinkSync, linkSync]) {
        writeFileSync(mine, 'of mine');
        rmSync(path, { force: true });
        plant(mine, path);
        await expect(open(folder), name).rejects.toThrow(plant === symlinkSync ? /is a link/ : /./);
        expect(readFileSync(mine, 'utf8')).toBe('of mine');
        expect(modeOf(mine)).toBe(0o644);
      }
      rmSync(path);
      // No process writes to its other end.
      execFileSync('mkfifo', [path]);
      await expect(open(folder), name).rejects.toThrow(/is not a file/);
      rmSync(path);
      if (before) writeFileSync(path, before, { mode });
    }
    await open(folder);
  });

  it('is refused if everyone could replace it', async () => {
    chmodSync(above, 0o777);
    await expect(open(folder)).rejects.toThrow(/^Everyone can write to .+ chmod o-w/);
    chmodSync(above, 0o1777);
    await open(folder);
  });

  it('may be named by its user’s own link', async () => {
    mkdirSync(folder);
    const link = join(above, 'link');
    symlinkSync(folder, link);
    await open(link);
    expect(readFileSync(join(folder, 'commits'), 'latin1')).toMatch(/^\d{16}\n$/);
    if (!isRoot) return;
    lchownSync(link, OTHER, OTHER);
    await expect(open(link)).rejects.toThrow(`is a link that belongs to user ${OTHER}`);
  });

  it.runIf(isRoot)('of another user, or with another user’s files, is refused', async () => {
    await open(folder);
    chownSync(folder, OTHER, OTHER);
    // For example a host's folder in a container, where this process is root.
    await expect(open(folder)).rejects.toThrow(
      new RegExp(
        `belongs to user ${OTHER}, and this process runs as root: .*--user ${OTHER}:${OTHER}`,
      ),
    );
    chownSync(folder, 0, 0);
    for (const name of ['commits', 'queues.sqlite', 'credentials', 'key.pem']) {
      chownSync(join(folder, name), OTHER, OTHER);
      await expect(open(folder)).rejects.toThrow(`${name} belongs to user ${OTHER}`);
      chownSync(join(folder, name), 0, 0);
    }
    await open(folder);
  });

  it.runIf(isRoot)(
    'of root, such as a volume, is accepted for a group, but not for everyone',
    () => {
      mkdirSync(folder);
      chmodSync(above, 0o755);
      chownSync(folder, 0, OTHER);
      const script = `import { openStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/emulator/sqs/index.ts'))};
      try { await openStore(${JSON.stringify(folder)}).close(); console.log('opened'); } catch (error) { console.log(error.message); }`;
      const asOther = (mode: number) => {
        chmodSync(folder, mode);
        const args = ['--input-type=module', '-e', script];
        const options = { uid: OTHER, gid: OTHER, cwd: '/', encoding: 'utf8' } as const;
        return execFileSync(process.execPath, args, options);
      };
      expect(asOther(0o777)).toMatch(/belongs to root, and everyone can use it/);
      expect(asOther(0o2770)).toBe('opened\n');
    },
  );

  it('stores a secret in place of a link, not in its target', async () => {
    mkdirSync(folder);
    const mine = join(above, 'mine');
    writeFileSync(mine, 'of mine');
    symlinkSync(mine, join(folder, 'join-1'));
    expect(() => readSecret(join(folder, 'join-1'))).toThrow(/is a link/);
    await writeSecret(join(folder, 'join-1'), 'secret');
    expect(readFileSync(mine, 'utf8')).toBe('of mine');
    expect(readSecret(join(folder, 'join-1'))).toBe('secret');
  });
});
