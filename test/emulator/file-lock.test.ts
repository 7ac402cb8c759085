import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { lockFile } from '../../src/emulator/file-lock.ts';

/** Starts a process that locks a file until it is killed, and prints `locked` or `refused`. */
const HOLDER = `import { lockFile } from '${resolve('src/emulator/file-lock.ts')}';
  const said = lockFile(process.argv[1]) ? 'locked' : 'refused';
  // The lock must not depend on a reference to it.
  globalThis.gc();
  console.log(said);
  setInterval(() => {}, 1000);`;

/** Starts a program in a network namespace of its own, as that of a container is. */
const ELSEWHERE = ['unshare', '--map-root-user', '--net'];
const { status, stderr } = spawnSync('unshare', [...ELSEWHERE.slice(1), 'true']);
const because = status === 0 ? '' : ` (not here: ${String(stderr ?? 'no unshare').trim()})`;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-lock-'));
  path = join(folder, 'lock');
  const made = folder;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
});

/** @param through the program that starts the process, and its arguments */
async function hold(
  through: readonly string[] = [],
): Promise<{ child: ChildProcess; said: string }> {
  const line = [
    ...through,
    process.execPath,
    '--expose-gc',
    '--input-type=module',
    '--eval',
    HOLDER,
    path,
  ];
  const child = spawn(line[0] ?? '', line.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = await once(child.stdout ?? child, 'data');
  return { child, said: String(said).trim() };
}

describe('a lock file', () => {
  it('is locked once, also within a process, until it is released', async () => {
    const lock = lockFile(path);
    expect(lockFile(path)).toBeUndefined();
    expect((await hold()).said).toBe('refused');
    lock?.release();
    lockFile(path)?.release();
    expect((await hold()).said).toBe('locked');
    expect(lockFile(path)).toBeUndefined();
    // Nothing but the lock itself.
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('is free at once when its holder is killed', async () => {
    const { child, said } = await hold();
    expect([said, lockFile(path)]).toEqual(['locked', undefined]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = lockFile(path);
    expect(lock).toBeDefined();
    lock?.release();
  });

  it.skipIf(because)(`is the same for processes of different networks${because}`, async () => {
    const { said } = await hold(ELSEWHERE);
    expect([said, lockFile(path)]).toEqual(['locked', undefined]);
    expect((await hold(ELSEWHERE)).said).toBe('refused');
  });

  it('that its holder removes is locked anew, by one who had opened the old one', async () => {
    const lock = lockFile(path);
    const sqlite = process.getBuiltinModule('node:sqlite');
    class Late extends sqlite.DatabaseSync {
      constructor(opened: string) {
        super(opened);
        rmSync(opened);
        lock?.release();
      }
    }
    vi.spyOn(process, 'getBuiltinModule').mockReturnValueOnce({ ...sqlite, DatabaseSync: Late });
    const late = lockFile(path);
    expect(late).toBeDefined();
    expect((await hold()).said).toBe('refused');
    late?.release();
  });

  it('is refused with a sentence where none is possible', () => {
    path = join(folder, 'nowhere/lock');
    expect(() => lockFile(path)).toThrow(/nowhere\/lock cannot be locked \(.+\)\. .*name a place/);
  });
});
