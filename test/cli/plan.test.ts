import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { linesOf } from '../../src/cli/plan-text.ts';
import type { Plan } from '../../src/index.ts';
import { fanfold, TASKS } from './command.ts';
import { inThisProcess } from './in-this-process.ts';

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

it.each([
  ['an unknown region', ['--region', 'mars-1'], /"mars-1" are not known here.*Known.*us-east-1/],
  ['no region', ['--memory', '512'], /--memory plans a run on AWS.*--region or AWS_REGION/],
  ['two stacks', ['--stack', 'Photos', '--burst', '1'], /--burst describes a stack.*Leave one/],
  [
    'too little memory',
    ['--region', 'us-east-1', '--memory', '64'],
    /--memory must be .* from 128/,
  ],
  ['too large a burst', ['--region', 'us-east-1', '--burst', '99'], /burst.* from 0 to 98; got 99/],
  ['prices of no region', ['--prices', 'p.json'], /--prices plans a run on AWS.*--region/],
  [
    'prices that cannot be read',
    ['--region', 'us-east-1', '--prices', '/nowhere/p.json'],
    /--prices \/nowhere\/p.json cannot be read/,
  ],
  ['no sample', ['--sample', '0'], /--sample must be a whole number from 1 to 10000; got "0"/],
])('refuses %s', async (_, flags, message) => {
  const env = { AWS_REGION: '', AWS_DEFAULT_REGION: '' };
  const args = ['plan', 'same', '--tasks', TASKS, '--range', '3', '--workers', '1', ...flags];
  const { status, stderr, stdout } = await inThisProcess(args, env);
  expect(stderr).toMatch(message);
  expect([status, stdout]).toEqual([2, '']);
});

it('prints workers, cost by item, sizes and other systems of a plan on AWS', () => {
  const range = (likely: number) => ({ low: likely * 0.9, likely, high: likely * 1.1 });
  const size = { memoryMb: 1_024, maxConcurrency: 100, burst: 50, seconds: 120, usd: 1.5 };
  const marks = { isPlanned: true, isCheapest: true, isFastest: false };
  const plan: Plan = {
    ...{ task: 'resize', inputs: 1_000_000, inputBytes: 50_000_000, workers: 100, timeline: [] },
    sample: {
      ...{ inputs: 200, ok: 199, failed: 1, failures: ['Error: gone'], attempts: 1.01 },
      ms: { mean: 100, p50: 90, p95: 200, max: 300 },
      ...{ outputBytes: 50, cpuShare: 0.5, peakMemoryMb: 120, seconds: 10, usd: 0.0012 },
    },
    ...{ seconds: range(120), limitedBy: 'the collector', notes: ['The account is small.'] },
    aws: {
      deployment: {
        ...{ region: 'eu-west-1', memoryMb: 1_024, architecture: 'arm64' },
        ...{ maxConcurrency: 100, burst: 50 },
      },
      usd: range(1.5),
      items: {
        ...{ lambdaDuration: range(1.2), lambdaInvocations: range(0.000001) },
        ...{ sqsRequests: range(0.3), s3Requests: range(0), transfer: range(0), logs: range(0) },
      },
      counted: {
        ...{ gbSeconds: { arm64: 90_000, x86_64: 0 }, invocations: 5 },
        ...{ sqs: { standard: 1, fair: 2, fifo: 3 }, s3: { put: 0, get: 0 } },
        ...{ transferBytes: 0, isLeast: false },
      },
      ...{ peakWorkers: 100, secondsToAllWorkers: 12, excluded: [], pricesOf: '2026-09' },
      sizes: [
        { ...size, ...marks },
        { ...size, maxConcurrency: 400, seconds: 31, usd: 1.6, ...marks, isPlanned: false },
      ],
      elsewhere: [{ name: 'SQS', usd: 2.5 }],
    },
  };
  const text = linesOf(plan, 1).join('\n');
  expect(text).toContain('100 at most, all busy after 12 s; 1024 MB, arm64, eu-west-1');
  expect(text).toMatch(/^time +about 2 min \(1 min 48 s to 2 min 12 s\)$/m);
  expect(text).toMatch(/^cost +\$1.50 \(\$1.35 to \$1.65\), at the prices of 2026-09$/m);
  expect(text).toMatch(/^ +Lambda, 90,000 GB-s: \$1.20 \(\$1.08 to \$1.32\)$/m);
  expect(text).toMatch(/^ +Lambda, 5 invocations: less than \$0.0001$/m);
  expect(text).toMatch(/^ +SQS, 6 requests: /m);
  expect(text).not.toContain('S3');
  expect(text).toMatch(/^sizes +1024 MB, +100 workers: 2 min +\$1.50 {2}\(this plan, cheapest\)$/m);
  expect(text).toMatch(/^ +1024 MB, +400 workers: 31 s +\$1.60 {2}\(cheapest\)$/m);
  expect(text).toMatch(/^elsewhere +SQS: \$2.50$/m);
  expect(text).toMatch(/^limited by +the collector$/m);
  expect(text).toMatch(/^note +The account is small.$/m);
  expect(text).toContain('120 MB a worker; it has cost $0.0012\n            failed: Error: gone\n');
});
