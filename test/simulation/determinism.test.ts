import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { simulation } from './simulation.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-simulate-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function events(name: string, args: readonly (string | number)[]): Promise<string> {
  const log = join(folder, name);
  const { text, failed } = await simulation([...args, '--log', log]);
  expect(failed, text).toBe(false);
  return readFileSync(log, 'utf8');
}

it('the same seed produces the same events, byte for byte', async () => {
  const args = ['--seed', 20_261_125, '--runs', 15];
  const [one, other] = await Promise.all([events('one', args), events('other', args)]);
  expect(one.split('\n').length).toBeGreaterThan(1_000);
  expect(one === other).toBe(true);
});

it('a scenario has the same events alone as after others', async () => {
  const [all, alone] = await Promise.all([
    events('all', ['--seed', 7, '--runs', 6]),
    events('alone', ['--seed', 7, '--path', 5]),
  ]);
  expect(all.endsWith(alone)).toBe(true);
});

it('a path to a smaller scenario replays that one alone', async () => {
  const { text } = await simulation(['--seed', 7, '--path', '5:0']);
  expect(text).toContain('seed 7: 1 runs');
});
