import { InvokeCommand } from '@aws-sdk/client-lambda';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { Sample } from '../../src/handlers/sample.ts';
import {
  captureConsole,
  givenUpMetric,
  powertoolsLog,
  powertoolsMetrics,
} from '../../src/handlers.ts';
import { connect, defineTask, NonRetryableError } from '../../src/index.ts';
import { Run } from '../../src/pipeline/collecting/run.ts';
import { runThrough, virtualDeployment, within } from '../pipeline/virtual-deployment.ts';

interface Line {
  level?: string;
  message?: string;
  runId?: string;
  index?: number;
  [key: string]: unknown;
}

/** The output of the process. */
let output: string[];

beforeEach(() => {
  output = [];
  const write = (chunk: unknown) => {
    output.push(String(chunk));
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'virtual');
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'Fanfold');
  vi.stubEnv('POWERTOOLS_LOG_LEVEL', 'INFO');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

const lines = (): Line[] =>
  output
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

type Metric = Record<string, unknown> & {
  _aws: { CloudWatchMetrics: { Namespace: string; Dimensions: string[][] }[] };
};
const metrics = () => lines().filter((line) => '_aws' in line) as unknown as Metric[];
const total = (name: string) => metrics().reduce((sum, line) => sum + Number(line[name] ?? 0), 0);

const chatty = defineTask({
  name: 'chatty',
  input: z.number(),
  backoffBaseSeconds: 0,
  run(input: number, { attempt, log }) {
    log.info('begun', { input, runId: 'another', index: 99, task: 'other' });
    log.debug('unseen');
    if (input === 1 && attempt < 3) throw new RangeError(`attempt ${attempt}`);
    if (input > 3) console.warn('printed %d %s', input, 'n');
    if (input === 2) throw new NonRetryableError('never');
    if (input === 3) log.error('odd', new TypeError('as fields'));
    return input;
  },
});

/** A run through the handlers of a deployment that logs with Powertools. */
async function watchedRun(inputs: unknown[], burst = 0) {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
  const watching = { log: powertoolsLog(), metrics: powertoolsMetrics() };
  const deployed = await virtualDeployment([chatty], { watching, burst });
  if (burst === 0) deployed.startWorkers();
  const run = new Run(deployed.deployment, 'chatty', inputs);
  const { results } = await runThrough(run, 2_000);
  // The last invocation ends after its results are collected.
  await within(60, new Promise((resolve) => setTimeout(resolve, 20_000)));
  await deployed.close();
  return { runId: await run.runId, results };
}

describe('the log of a deployment', () => {
  it('has all lines of an input under its run and index, whatever the task logs', async () => {
    const { runId } = await watchedRun([0, 1, 2, 3, 'not a number']);
    const of = (index: number) =>
      lines().filter((line) => line.runId === runId && line.index === index);
    const about = { service: 'virtual', runId, index: 1, task: 'chatty' };
    expect(of(1)).toMatchObject([
      { ...about, level: 'INFO', message: 'begun', attempt: 1, input: 1 },
      {
        ...about,
        level: 'WARN',
        message: 'An attempt failed',
        attempt: 1,
        again: true,
        error: { code: 'TaskFailed', name: 'RangeError', message: 'attempt 1' },
      },
      { ...about, level: 'INFO', message: 'begun', attempt: 2 },
      { ...about, level: 'WARN', message: 'An attempt failed', attempt: 2 },
      { ...about, level: 'INFO', message: 'begun', attempt: 3 },
    ]);
    expect(of(2)[1]).toMatchObject({ level: 'WARN', again: false, error: { message: 'never' } });
    expect(of(3)[1]).toMatchObject({
      level: 'ERROR',
      message: 'odd',
      error: { name: 'TypeError', message: 'as fields', stack: expect.any(String) },
    });
    expect(of(4)).toMatchObject([{ level: 'WARN', error: { code: 'InvalidInput' } }]);
    expect(output.join('')).not.toMatch(/unseen|"another"/);
  });

  it('has what tasks print with the console, and leaves other lines to the console', async () => {
    const methods = ['debug', 'log', 'info', 'warn', 'error'] as const;
    const printed = methods.map((method) => vi.spyOn(console, method).mockReturnValue());
    captureConsole();
    const { runId } = await watchedRun([4, 5]);
    console.warn('not of a task');
    for (const index of [0, 1]) {
      const about = { runId, index, task: 'chatty', attempt: 1, service: 'virtual' };
      const own = lines().filter((line) => line.index === index);
      expect(own).toContainEqual(
        expect.objectContaining({ ...about, level: 'WARN', message: `printed ${index + 4} n` }),
      );
      expect(own.map(({ line }) => line)).toEqual([1, 3]);
    }
    expect(printed.flatMap(({ mock }) => mock.calls)).toEqual([['not of a task']]);
  });

  it('has a line for each queued page and each refused request', async () => {
    const { runId } = await watchedRun([0, 3]);
    expect(lines().filter(({ message }) => message === 'A page was queued')).toMatchObject([
      { level: 'INFO', service: 'virtual', runId, task: 'chatty', first: 0, count: 2, chunks: 2 },
    ]);
    output.length = 0;
    vi.useRealTimers();
    const log = powertoolsLog();
    const { deployment } = await virtualDeployment([chatty], { watching: { log } });
    const Payload = JSON.stringify({ task: 'chaty', inputs: [] });
    await deployment.lambda.send(new InvokeCommand({ FunctionName: 'virtual-seed', Payload }));
    expect(lines()).toMatchObject([
      {
        level: 'WARN',
        message: 'A seed request was refused',
        error: { code: 'UnknownTask', message: expect.stringContaining('"chatty"') },
      },
    ]);
  });
});

describe.each([
  ['the event source starts', 0],
  ['the seed starts', 1],
])('the metrics of workers that %s', (_, burst) => {
  it('count each input once, and each further attempt, by the service alone', async () => {
    const { runId, results } = await watchedRun([...Array(300).fill(0), 1, 2, 'x'], burst);
    expect(results).toHaveLength(303);
    expect(total('InputsOk')).toBe(301);
    expect(total('InputsFailed')).toBe(2);
    expect(total('InputsRetried')).toBe(2);
    for (const line of metrics()) {
      expect(line._aws.CloudWatchMetrics).toMatchObject([
        { Namespace: 'Fanfold', Dimensions: [['service']] },
      ]);
      expect(line.service).toBe('virtual');
      expect(JSON.stringify(line)).not.toContain(runId);
      expect([line.InputDuration].flat().length).toBeLessThanOrEqual(100);
    }
    // One burst worker ran everything: more inputs than a line holds durations.
    if (burst > 0) expect(metrics()).toHaveLength(1);
  });
});

it('a worker with nothing to count emits no metrics', () => {
  const counting = powertoolsMetrics();
  counting.flush();
  counting.flush();
  expect(output).toEqual([]);
});

it('a collector that gives a run up emits the metric that the alarm watches', () => {
  givenUpMetric()();
  expect(lines()).toMatchObject([
    {
      service: 'virtual',
      CollectorGivenUp: 1,
      _aws: {
        CloudWatchMetrics: [
          {
            Namespace: 'Fanfold',
            Dimensions: [['service']],
            Metrics: [{ Name: 'CollectorGivenUp', Unit: 'Count' }],
          },
        ],
      },
    },
  ]);
});

it('a run in this process prints only what its tasks log', async () => {
  vi.spyOn(console, 'debug').mockImplementation(() => {});
  const said = vi.spyOn(console, 'info').mockImplementation(() => {});
  await using fanfold = await connect();
  const results = await Array.fromAsync(fanfold.map(chatty, [0, 1, 2]));
  expect(results).toHaveLength(3);
  expect(output).toEqual([]);
  const about = { level: 'info', message: 'begun', task: 'chatty', index: 0, attempt: 1, line: 1 };
  expect(said.mock.calls.map(([line]) => JSON.parse(line))).toContainEqual({
    ...about,
    time: expect.stringMatching(/Z$/),
    runId: expect.stringMatching(/^\d{8}T/),
    fields: { input: 0 },
  });
});

describe('a sample', () => {
  it('has a hundred values at most, evenly spread over all', () => {
    fc.assert(
      fc.property(fc.nat(5_000), (count) => {
        const sample = new Sample();
        for (let at = 0; at < count; at++) sample.add(at);
        const { values } = sample;
        expect(values.length).toBe(Math.ceil(count / Math.max(1, Number(values[1] ?? 1))));
        expect(values.length).toBeLessThanOrEqual(100);
        expect(values.length).toBeGreaterThanOrEqual(Math.min(count, 50));
        const stride = values[1] ?? 1;
        expect(values).toEqual(values.map((__, at) => at * stride));
        expect(count - (values.at(-1) ?? 0)).toBeLessThanOrEqual(stride);
      }),
    );
  });
});
