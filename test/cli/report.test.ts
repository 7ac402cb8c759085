import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { reportIn } from './answers.ts';
import { REPOSITORY, TASKS } from './command.ts';
import { inThisProcess } from './in-this-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

const run = (output: string, ...more: string[]) =>
  inThisProcess([
    'run',
    'echo',
    '--range',
    '20',
    '--workers',
    '1',
    '--output',
    at(output),
    ...more,
  ]);

it('a run writes its report, and another command makes the same from its files', async () => {
  const { status, stderr } = await run('echo.jsonl', '--report', at('echo.html'));
  expect(status).toBe(0);
  expect(stderr).toContain(`the report is in ${at('echo.html')}`);
  const { statistics, ...about } = reportIn(at('echo.html'));
  expect(about).toMatchObject({ task: 'echo', missing: [] });
  expect(statistics.ledger).toMatchObject({ inputs: 20, ok: 20 });
  expect(statistics.durations.count).toBe(20);
  expect(statistics.workers.flatMap(({ spans }) => spans)).not.toEqual([]);
  const made = await inThisProcess(['report', at('echo.jsonl')]);
  expect(made.status).toBe(0);
  expect(reportIn(at('echo.jsonl.html'))).toEqual({ statistics, ...about });
});

it('a report of results alone says what is missing', async () => {
  await run('alone.jsonl');
  rmSync(at('alone.jsonl.run'));
  await inThisProcess(['report', at('alone.jsonl'), '--output', at('alone.html')]);
  const { statistics, missing } = reportIn(at('alone.html'));
  expect(missing).toEqual([expect.stringContaining('Only the results')]);
  expect(statistics.ledger).toMatchObject({ inputs: 20, ok: 20 });
  expect(statistics.durations.count).toBe(20);
  expect(statistics.workers).toMatchObject([{ name: 'worker-1', ok: 20, spans: [] }]);
});

it('the report of a resumed run says which results it has no times of', async () => {
  await run('resumed.jsonl');
  const lines = readFileSync(at('resumed.jsonl'), 'utf8').split('\n');
  writeFileSync(at('resumed.jsonl'), `${lines.slice(0, 15).join('\n')}\n`);
  await run('resumed.jsonl', '--resume', '--report', at('resumed.html'));
  const { statistics, missing } = reportIn(at('resumed.html'));
  expect(missing).toEqual([expect.stringContaining('15 results are from earlier commands')]);
  expect(statistics.ledger.ok).toBe(20);
  expect(statistics.durations.count).toBe(5);
});

it('a report has the log lines of inputs that failed only if it shows inputs', async () => {
  writeFileSync(
    at('loud.mjs'),
    `import { defineTask } from '${REPOSITORY}/src/index.ts';
    export const loud = defineTask({ name: 'loud', maxAttempts: 2, backoffBaseSeconds: 0.01,
      run(n, { log }) { log.info('told', { n }); if (n % 2) throw new Error('odd'); return n; } });`,
  );
  const loud = (...more: string[]) =>
    inThisProcess(
      [
        'run',
        'loud',
        '--tasks',
        at('loud.mjs'),
        '--range',
        '4',
        '--workers',
        '1',
        '--quiet',
      ].concat(
        ...['--overwrite', '--output', at('loud.jsonl'), '--report', at('loud.html'), ...more],
      ),
    );
  const logs = () =>
    reportIn(at('loud.html')).samples?.map(({ log }) => log.map(({ text }) => text));
  await loud();
  expect(logs()).toEqual([[], []]);
  await loud('--report-inputs');
  const all = [1, 3].map((n) => [`told n=${n}`, `told n=${n}`]);
  expect(logs()?.toSorted()).toEqual(all);
  // The record has them, and another command shows them only if that is asked for.
  await inThisProcess(['report', at('loud.jsonl'), '--output', at('loud.html')]);
  expect(logs()).toEqual([[], []]);
});

it('a report has inputs that failed only if that is asked for', async () => {
  writeFileSync(at('in.jsonl'), `"package.json"\n{"secret":"${'s'.repeat(3_000)}"}\n`);
  const hash = (output: string, ...more: string[]) =>
    inThisProcess(
      ['run', 'sha256', '--input', at('in.jsonl'), '--workers', '1', ...more].concat([
        ...['--output', at(output), '--report', at(`${output}.html`)],
      ]),
    );
  await hash('without.jsonl');
  expect(reportIn(at('without.jsonl.html')).inputs).toBeUndefined();
  const [sample] = reportIn(at('without.jsonl.html')).samples ?? [];
  expect(sample).toMatchObject({ index: 1, attempts: expect.any(Number), worker: 'worker-1' });
  expect(JSON.parse(sample?.error ?? '')).toMatchObject({ message: expect.any(String) });
  await hash('with.jsonl', '--report-inputs');
  expect(readFileSync(at('with.jsonl'), 'utf8')).not.toContain('"input":');
  const [[index = 0, text = ''] = [], ...others] = reportIn(at('with.jsonl.html')).inputs ?? [];
  expect(others).toEqual([]);
  expect(index).toBe(1);
  expect(text).toMatch(/^\{"secret":"s+\u2026$/);
  expect(text).toHaveLength(2_000);
  // Another command makes it from the run's files, which keep the inputs.
  await inThisProcess(['report', at('with.jsonl')]);
  expect(reportIn(at('with.jsonl.html')).inputs).toBeUndefined();
  await inThisProcess(['report', at('with.jsonl'), '--report-inputs']);
  expect(reportIn(at('with.jsonl.html')).inputs).toEqual([[1, text]]);
  await inThisProcess(['report', at('without.jsonl'), '--report-inputs']);
  expect(reportIn(at('without.jsonl.html')).missing).toContainEqual(
    expect.stringContaining('no --report-inputs'),
  );
  const alone = await run('none.jsonl', '--report-inputs');
  expect(alone.status).toBe(2);
  expect(alone.stderr).toContain('--report FILE');
});

it('a report has the deaths of workers', async () => {
  writeFileSync(at('deadly.jsonl'), '"ok"\n"exits"\n');
  const files = ['--input', at('deadly.jsonl'), '--report', at('deadly.html')];
  await inThisProcess(['run', 'wild', ...files, '--tasks', TASKS, '--workers', '1']);
  const { deaths, startedAt, at: end } = reportIn(at('deadly.html')).statistics;
  expect(deaths.length).toBeGreaterThan(0);
  for (const { worker, at: diedAt } of deaths) {
    expect(worker).toBe('worker-1');
    expect(diedAt).toBeGreaterThan(startedAt);
    expect(diedAt).toBeLessThanOrEqual(end);
  }
});

it('a report replaces an earlier one, and no other file', async () => {
  writeFileSync(at('notes.html'), '<p>my notes</p>');
  const refused = await run('kept.jsonl', '--report', at('notes.html'));
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('is not a report');
  expect(existsSync(at('kept.jsonl'))).toBe(false);
  expect((await run('kept.jsonl', '--report', at('kept.html'))).status).toBe(0);
  expect(
    (await inThisProcess(['report', at('kept.jsonl'), '--output', at('kept.html')])).status,
  ).toBe(0);
});

it.each([
  ['the input', 'in.jsonl', 'the input'],
  ['a link to the input', 'in-link.html', 'the input'],
  ['the results', 'spared.jsonl', 'file with the results'],
  ['the record of the results', 'spared.jsonl.run', 'belongs to it'],
  ['the results by way of a link', 'here/spared.jsonl', 'file with the results'],
])('a report never replaces %s, even with --overwrite', async (_, name, why) => {
  writeFileSync(at('in.jsonl'), '1\n2\n');
  for (const [link, to] of [
    ['in-link.html', at('in.jsonl')],
    ['here', folder],
  ] as const) {
    rmSync(at(link), { force: true });
    symlinkSync(to, at(link));
  }
  const { status, stderr } = await inThisProcess([
    ...['run', 'echo', '--input', at('in.jsonl'), '--output', at('spared.jsonl')],
    ...['--workers', '1', '--report', at(name), '--overwrite'],
  ]);
  expect(status).toBe(2);
  expect(stderr).toContain(why);
  expect(readFileSync(at('in.jsonl'), 'utf8')).toBe('1\n2\n');
  expect(existsSync(at('spared.jsonl'))).toBe(false);
});

it('a report never replaces a device or a pipe', async () => {
  // A pipe of the test's own: with a device, a failing test could harm the machine.
  execFileSync('mkfifo', [at('pipe.html')]);
  const { status, stderr } = await run('piped.jsonl', '--report', at('pipe.html'), '--overwrite');
  expect(status).toBe(2);
  expect(stderr).toContain('a device or a pipe');
  expect(lstatSync(at('pipe.html')).isFIFO()).toBe(true);
});

mkdirSync(at('folder.html'));
writeFileSync(at('poem.jsonl'), 'shall I compare\n');

it.each([
  ['a folder', ['--report', at('folder.html')], 'is a folder'],
  ['a missing folder', ['--report', at('missing/r.html')], 'does not exist'],
  ['the results', ['--report', at('new.jsonl')], 'the file with the results'],
  ['nothing', ['--report', ''], '--report is empty'],
])('a report to %s is refused before the run', async (_, flags, sentence) => {
  const { status, stderr } = await run('new.jsonl', ...flags);
  expect(status).toBe(2);
  expect(stderr).toContain(sentence);
  expect(existsSync(at('new.jsonl'))).toBe(false);
});

it.each([
  ['no file', 'none.jsonl', 'does not exist'],
  ['a file without results', 'poem.jsonl', 'line 1: this line is not a result'],
  ['a folder', 'folder.html', 'is a folder'],
])('there is no report of %s', async (_, name, sentence) => {
  const { status, stderr } = await inThisProcess(['report', at(name)]);
  expect(status).toBe(2);
  expect(stderr).toContain(sentence);
});
