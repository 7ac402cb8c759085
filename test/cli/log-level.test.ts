import { expect, it } from 'vitest';
import { prints } from '../../src/cli/log-level.ts';
import { inThisProcess } from './in-this-process.ts';

it('a level prints its own lines and more important ones', () => {
  const levels = ['debug', 'info', 'warn', 'error'] as const;
  const printed = levels.map((least) => levels.filter((level) => prints(least, level)));
  expect(printed.map(({ length }) => length)).toEqual([4, 3, 2, 1]);
  expect(prints('warn', 'error')).toBe(true);
  expect(prints('warn', 'info')).toBe(false);
});

it.each(['serve', 'work'])('%s names the levels when another one is given', async (command) => {
  const { status, stderr } = await inThisProcess([command, '--log-level', 'loud']);
  expect(status).toBe(2);
  expect(stderr).toContain('debug, info, warn, error');
});
