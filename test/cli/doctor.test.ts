import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tasks from '../../functions/tasks/index.ts';
import { VERSION } from '../../src/index.ts';
import { refused, type StubAws, stubAws } from '../doctor/stub-aws.ts';
import { inThisProcess } from './in-this-process.ts';
import { atTerminal } from './terminal.ts';

let aws: StubAws;
let stopped: StubAws;
beforeAll(async () => {
  aws = await stubAws({ tasks });
  const answers = {
    'GetFunctionConcurrency Photos-worker': { ReservedConcurrentExecutions: 0 },
    ListEventSourceMappings: refused('AccessDeniedException'),
  };
  stopped = await stubAws({ tasks, answers });
});
afterAll(async () => {
  await aws.close();
  await stopped.close();
});

function doctor(args: readonly string[], env: NodeJS.ProcessEnv = aws.env) {
  return inThisProcess(['doctor', ...args], env);
}

const STACK = ['--stack', 'Photos', '--tasks', 'fanfold/tasks'];

it('a stack without problems gives status 0 and aligned lines', async () => {
  const { status, stdout, stderr } = await doctor(STACK);
  expect([status, stderr]).toEqual([0, '']);
  const [heading, ...lines] = stdout.trimEnd().split('\n');
  expect(heading).toBe(
    `fanfold ${VERSION}: stack Photos, deployed (account 123456789012, us-east-1)`,
  );
  expect(lines.pop()).toBe('problems: 0, warnings: 0, unknown: 0, ok: 20');
  const starts = lines.map((line) => /^ok {7}[a-zS3 ]{15}(?=[A-Z])/.test(line));
  expect(starts).toEqual(lines.map(() => true));
});

it('a problem gives status 1, with its remedy on the next line', async () => {
  const { status, stdout } = await doctor(STACK, stopped.env);
  expect(status).toBe(1);
  expect(stdout).toMatch(
    /^problem {2}reservations {3}Photos-worker .* of 0.*\n {24}aws lambda delete-function-concurrency/m,
  );
  expect(stdout).toMatch(/^unknown {2}event source {3}.*lambda:ListEventSourceMappings/m);
});

it('--json prints JSON', async () => {
  const { status, stdout } = await doctor([...STACK, '--json'], stopped.env);
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    fanfold: VERSION,
    stack: 'Photos',
    state: 'deployed',
    region: 'us-east-1',
    account: '123456789012',
    findings: expect.arrayContaining([
      {
        title: 'reservations',
        level: 'problem',
        says: expect.stringContaining('Photos-worker'),
        remedy: expect.stringContaining('delete-function-concurrency'),
      },
    ]),
  });
});

it.each([
  [['--max-concurrency', 'many'], '--max-concurrency must be a whole number from 2 to 1000'],
  [['--max-concurrency', '1001'], 'from 2 to 1000'],
  [['--stack', 'a b'], "A deployment's name must be"],
  [['--endpoint', 'x'], "unknown option '--endpoint'"],
])('wrong usage gives status 2: %j', async (args, says) => {
  const { status, stdout, stderr } = await doctor(args);
  expect(stderr).toContain(says);
  expect([status, stdout]).toEqual([2, '']);
});

it('a nonsense response of AWS becomes a finding, not a stack trace', async () => {
  const env = { ...aws.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
  const { status, stdout, stderr } = await doctor(STACK, env);
  expect(stdout).toMatch(/^problem {2}credentials/m);
  expect(stdout + stderr).not.toMatch(/^ +at /m);
  expect(status).toBe(1);
});

describe.runIf(process.platform === 'linux')('at a terminal', () => {
  it('levels have colours, unless NO_COLOR is set', async () => {
    const settings = Object.entries(stopped.env).map(([name, value]) => `${name}=${value}`);
    const line = `${settings.join(' ')} fanfold doctor --stack Photos --tasks fanfold/tasks`;
    const { written } = await atTerminal(`env -u NO_COLOR -u CI ${line}`, 120).ended;
    expect(written).toContain('\u001b[31mproblem\u001b[39m');
    expect((await atTerminal(`NO_COLOR=1 ${line}`, 120).ended).written).not.toContain('\u001b[');
  });
});
