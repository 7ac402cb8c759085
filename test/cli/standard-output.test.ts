import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FANFOLD, start, TASKS } from './command.ts';

// Commands print in one of two ways: by themselves, or by the command line's parser.
const COMMANDS = [['tasks', '--tasks', TASKS], ['--help']];

it.each(COMMANDS)('a reader of standard output may leave: %s', async (...args) => {
  const { child, ended } = start(args);
  child.stdout?.destroy();
  const { status, stderr } = await ended;
  expect(stderr).not.toMatch(/EPIPE|Error/);
  expect(status).toBe(0);
});

it.skipIf(process.platform !== 'linux')('a full disk is reported', async () => {
  const full = openSync('/dev/full', 'w');
  const stdio = ['ignore', full, 'pipe'] as const;
  const child = spawn(process.execPath, [FANFOLD, '--help'], { stdio: [...stdio] });
  closeSync(full);
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data;
  });
  const [status] = await once(child, 'close');
  expect(stderr).toMatch(/^fanfold: Standard output could not be written: ENOSPC/);
  expect(status).toBe(3);
});
