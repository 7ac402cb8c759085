import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { REPOSITORY, results } from './command.ts';
import { inThisProcess } from './in-this-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-retry-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fixed = join(folder, 'fixed');
const tasks = join(folder, 'tasks.ts');
writeFileSync(
  tasks,
  `import { existsSync } from 'node:fs';
import { defineTask } from '${REPOSITORY}/src/index.ts';
export const fails = defineTask({
  name: 'fails',
  maxAttempts: 1,
  run(input: number): unknown {
    if (existsSync('${fixed}')) return 'fixed';
    if (input % 2 === 1) throw new Error('odd ' + input);
    return input % 4 === 0 ? input : 1n;
  },
});`,
);

const argsOf = (output: string, inputs = '8') => [
  ...['run', 'fails', '--tasks', tasks, '--range', inputs],
  ...['--workers', '1', '--output', output],
];
const first = join(folder, 'results.jsonl');
let said: string;
beforeAll(async () => {
  said = (await inThisProcess(argsOf(first))).stderr;
  writeFileSync(fixed, '');
});

/** A copy of the first run's files. */
let output: string;
let number = 0;
beforeEach(() => {
  output = join(folder, `results-${++number}.jsonl`);
  for (const ending of ['', '.run']) copyFileSync(`${first}${ending}`, `${output}${ending}`);
});
const args = () => argsOf(output);

/** Indexes of the results with an output of the repaired task. */
function repaired(): number[] {
  const lines = results(readFileSync(output, 'utf8'));
  expect(lines).toHaveLength(8);
  const again = lines.filter((line) => line.output === 'fixed');
  return again.map(({ index }) => index).sort((a, b) => a - b);
}

describe('the summary of a run', () => {
  it('groups failures, and prints the commands that run them again', async () => {
    expect(said).toContain('4 failed, such as input 1: TaskFailed: Error: odd N');
    expect(said).toContain('2 failed, such as input 2: OutputNotJson: ');
    expect(said).toMatch(/to run failed inputs again: .* --resume --retry-failed$/m);
    expect(said).toMatch(/only those of one code: .*--retry-failed=OutputNotJson \(2\)/);
    expect(said.match(/^fanfold: .*(durations|workers): /gm)?.length).toBeGreaterThan(0);
    // Failures of earlier commands count.
    const again = await inThisProcess([...args(), '--resume']);
    expect(again.stderr).toContain('4 failed, such as input 1: TaskFailed: Error: odd N');
  });

  it('names --output where it is missing', async () => {
    rmSync(fixed);
    const { stderr } = await inThisProcess(args().slice(0, -2));
    writeFileSync(fixed, '');
    expect(stderr).toContain('use --output FILE to run failed inputs again');
    expect(stderr).not.toContain('--retry-failed');
  });
});

describe('--retry-failed', () => {
  it.each<[given: string, again: number[], left: number]>([
    ['--retry-failed=OutputNotJson', [2, 6], 4],
    ['--retry-failed=TaskFailed', [1, 3, 5, 7], 2],
    ['--retry-failed=TimedOut', [], 6],
    ['--retry-failed=TimedOut, OutputNotJson,TaskFailed', [1, 2, 3, 5, 6, 7], 0],
    ['--retry-failed', [1, 2, 3, 5, 6, 7], 0],
  ])('%s', async (given, again, left) => {
    // Before the task's name: it must not be taken for the option's value.
    const { stderr, status } = await inThisProcess(['run', given, ...args().slice(1), '--resume']);
    expect(repaired()).toEqual(again);
    expect(stderr).toContain(`= ${8 - left} ok + ${left} failed`);
    if (again.length > 0) expect(stderr).toContain(`${again.length} failed inputs will run again`);
    expect(status).toBe(left > 0 ? 1 : 0);
  });

  it.each(['--retry-failed=timeout', '--retry-failed=', '--retry-failed=TimedOut,'])(
    '%s is refused with the codes, and changes nothing',
    async (given) => {
      const before = readFileSync(output, 'utf8');
      const { stderr, status } = await inThisProcess([...args(), '--resume', given]);
      expect(status).toBe(2);
      expect(stderr).toContain('TaskFailed, InvalidInput, OutputNotJson');
      expect(readFileSync(output, 'utf8')).toBe(before);
    },
  );

  it('names a failed result that is damaged', async () => {
    const damaged = readFileSync(output, 'utf8').replace('"code":"OutputNotJson"', '"code":');
    writeFileSync(output, damaged);
    const { stderr, status } = await inThisProcess([...args(), '--resume']);
    expect(status).toBe(2);
    expect(stderr).toContain('this line is not a result');
  });
});

it('says that no result has the code, and names --max-failures by its flag', async () => {
  const none = await inThisProcess([...args(), '--resume', '--retry-failed=TimedOut']);
  expect(none.stderr).toContain('no input has failed as TimedOut');
  rmSync(fixed);
  // So many that some are still to run when the second one has failed.
  const many = argsOf(`${output}.other`, '5000');
  const other = await inThisProcess([...many, '--max-failures', '1']);
  expect(other.stderr).toContain('more than --max-failures allows');
});
