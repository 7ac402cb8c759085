import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../functions/tasks/sha256.ts';
import { NonRetryableError } from '../../src/index.ts';
import { taskContext } from './task-context.ts';

const MIB = 1024 * 1024;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-sha256-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: number): string {
  const path = join(folder, name);
  // Each part of it is different, so that reading one twice would show.
  const words = Uint32Array.from({ length: Math.ceil(bytes / 4) }, (_, at) => at * 2_654_435_761);
  writeFileSync(path, new Uint8Array(words.buffer, 0, bytes));
  return path;
}

function nextDescriptor(): number {
  const descriptor = openSync('/dev/null', 'r');
  closeSync(descriptor);
  return descriptor;
}

async function refusal(path: unknown): Promise<unknown> {
  return Promise.resolve(sha256.run(path as string, taskContext())).catch(
    (thrown: unknown) => thrown,
  );
}

describe('sha256', () => {
  it('returns the digest of sha256sum for any size', async () => {
    const sizes = [0, 1, 1000, 256 * 1024, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 9 * MIB + 17];
    const paths = sizes.map((bytes) => file(`${bytes} bytes, größe.bin`, bytes));
    const before = nextDescriptor();
    const results = await Promise.all(paths.map((path) => sha256.run(path, taskContext())));
    const lines = execFileSync('sha256sum', paths, { encoding: 'utf8' }).trimEnd().split('\n');
    expect(results).toEqual(
      lines.map((line, at) => ({
        path: paths[at],
        bytes: sizes[at],
        sha256: line.slice(0, 64),
      })),
    );
    expect(nextDescriptor()).toBe(before);
  });

  it('lets the event loop run while it hashes a large file', async () => {
    const path = file('large', 17 * MIB);
    let turns = 0;
    const turn = () => {
      turns++;
      waiting = setImmediate(turn);
    };
    let waiting = setImmediate(turn);
    await sha256.run(path, taskContext());
    clearImmediate(waiting);
    expect(turns).toBeGreaterThanOrEqual(4);
  });

  it('stops when its signal aborts', async () => {
    const path = file('aborted', 9 * MIB);
    const before = nextDescriptor();
    const controller = new AbortController();
    const hashing = sha256.run(path, taskContext(controller.signal));
    controller.abort(new Error('time is over'));
    await expect(hashing).rejects.toThrow('time is over');
    expect(nextDescriptor()).toBe(before);
  });

  it.each([
    ['missing', 'there is no such file'],
    ['.', 'it is a directory'],
    ['a-file/below', 'a part of its path is not a directory'],
    ['pipe', 'it is not a regular file'],
    ['circle', 'its symbolic links form a loop'],
    ['x'.repeat(300), 'its name is too long'],
    ['with\0nul', 'a path cannot contain a NUL character'],
  ])('refuses %j without a retry: %s', async (name, reason) => {
    const path = `${folder}/${name}`;
    if (name.startsWith('a-file')) writeFileSync(join(folder, 'a-file'), '');
    if (name === 'pipe') execFileSync('mkfifo', [path]);
    if (name === 'circle') symlinkSync(path, path);
    const before = nextDescriptor();
    const thrown = await refusal(path);
    expect(thrown).toBeInstanceOf(NonRetryableError);
    expect(thrown).toHaveProperty(
      'message',
      `The file ${JSON.stringify(path)} cannot be read: ${reason}.`,
    );
    expect(nextDescriptor()).toBe(before);
  });

  // Root may read every file.
  it.skipIf(process.getuid?.() === 0)('refuses a file without read permission', async () => {
    const path = join(folder, 'secret');
    mkdirSync(path);
    chmodSync(path, 0o000);
    const thrown = await refusal(join(path, 'file'));
    expect(thrown).toBeInstanceOf(NonRetryableError);
    expect(thrown).toHaveProperty('message', expect.stringContaining('permission is denied'));
  });

  it.each([[42], [null], [{ path: 'x' }]])('refuses %j, which is not a path', async (input) => {
    const thrown = await refusal(input);
    expect(thrown).toBeInstanceOf(NonRetryableError);
    expect(thrown).toHaveProperty(
      'message',
      `The input must be the path of a file; got ${JSON.stringify(input)}.`,
    );
  });
});
