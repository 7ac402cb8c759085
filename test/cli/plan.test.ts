import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fanfold, TASKS } from './command.ts';

it('predicts a run in worker processes, measured in them', async () => {
  const args = ['plan', 'waits', '--tasks', TASKS, '--range', '5000', '--workers', '2'];
  const { status, stdout, stderr } = await fanfold([...args, '--sample', '40', '--json']);
  expect(stderr).toContain('5000 inputs; running up to 40 of them, on this machine');
  expect(status).toBe(0);
  const plan = JSON.parse(stdout);
  expect(plan).toMatchObject({ task: 'waits', inputs: 5_000, inputBytes: 18_890, workers: 2 });
  expect(plan.sample).toMatchObject({ inputs: 40, ok: 40, failed: 0, attempts: 1 });
  expect(plan.sample.peakMemoryMb).toBeGreaterThan(20);
  expect(plan.sample.cpuShare).toBeGreaterThan(0);
  // 12.5 s of pauses at least.
  expect(plan.seconds.low).toBeGreaterThan(11);
  expect(plan.startSeconds).toBeGreaterThan(0);
});

it('prints it for people, and the place of a bad line that it ran', async () => {
  const args = ['plan', 'same', '--tasks', TASKS, '--input', '-', '--workers', '1'];
  const good = await fanfold(args, '{"a":1}\n{"a":2}\n');
  expect(good.stdout).toMatch(
    /^task +same, 2 inputs, 14 bytes\nsample +2 inputs in .*2 ok, 0 fail/,
  );
  expect(good.stdout).toMatch(/\ntime +about .* to .*\nlimited by +.*\n$/);
  const bad = await fanfold(args, '{"a":1}\n{"a":\n');
  expect(bad).toMatchObject({ status: 2, stdout: '' });
  expect(bad.stderr).toMatch(/standard input, line 2: the input is not JSON/);
});

it('plans nothing if there is nothing to plan from', async () => {
  const none = await fanfold(['plan', 'echo', '--input', '-']);
  expect(none).toMatchObject({ status: 2, stdout: '' });
  expect(none.stderr).toContain('There are no inputs');
  const args = ['plan', 'wild', '--tasks', TASKS, '--input', '-', '--workers', '1'];
  const failed = await fanfold(args, '"throws"\n"bigint"\n');
  expect(failed).toMatchObject({ status: 1, stdout: '' });
  expect(failed.stderr).toMatch(/All 2 inputs of the sample failed, so nothing is planned: /);
  const report = await fanfold([...args, '--on-bad-input', 'report']);
  expect(report.stderr).toContain('--on-bad-input report: there are no results in a plan');
});

it('writes it as a page with charts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-plan-'));
  try {
    const path = join(folder, 'plan.html');
    const args = ['plan', 'same', '--tasks', TASKS, '--range', '3', '--workers', '1'];
    const { stderr, stdout } = await fanfold([...args, '--report', path]);
    expect(stderr).toContain(`the report is in ${path}`);
    const html = readFileSync(path, 'utf8');
    expect(html).toContain('<polyline class="workers"');
    expect(html).toContain(stdout.split('\n')[0]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
