import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, utimesSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeTemporaryFolder } from '../../src/worlds/temporary-folder.ts';

it('deletes old folders of processes that have ended, and no others', () => {
  const kind = `fanfold-test-${process.pid}`;
  const { pid: ended } = spawnSync(process.execPath, ['--version']);
  const made = (owner: string, isOld: boolean) => {
    const folder = join(tmpdir(), `${kind}-${owner}-abc123`);
    mkdirSync(join(folder, 'inside'), { recursive: true });
    if (isOld) utimesSync(folder, 0, 0);
    return folder;
  };
  const left = made(`${hostname()}-${ended}`, true);
  const kept = [
    made(`${hostname()}-${process.pid}`, true),
    made(`elsewhere-${ended}`, true),
    made(`${hostname()}-${ended}1`, false),
  ];
  const own = makeTemporaryFolder(kind);
  expect(existsSync(left)).toBe(false);
  for (const folder of [own, ...kept]) {
    expect(existsSync(folder)).toBe(true);
    rmSync(folder, { recursive: true });
  }
});
