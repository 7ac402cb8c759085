import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { type Listening, listen } from '../../src/emulator/transport/index.ts';
import { logsInsightsLink } from '../../src/stack-logs.ts';
import { inThisProcess } from './in-this-process.ts';

const RUN = '20261123T165514123-k3f9x2ab';
const CREATED = Date.UTC(2026, 10, 23, 16, 55, 14) / 1000;

const folder = mkdtempSync(join(tmpdir(), 'fanfold-stack-logs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Query {
  logGroupNames: string[];
  queryString: string;
  startTime: number;
  endTime: number;
}

/** Lines of a deployed function, as Powertools writes them. */
const logged = (attempt: number, message: string, more: object = {}) =>
  JSON.stringify({
    ...{ level: 'INFO', message, timestamp: `2026-11-23T16:56:0${attempt}.000Z` },
    ...{ service: 'Photos', runId: RUN, index: 17, task: 'resize', attempt, ...more },
  });

let server: Listening | undefined;
afterEach(() => server?.close());

/**
 * CloudWatch Logs on a port: each query takes two looks.
 *
 * @param found the messages that a query finds; undefined if one of its log groups is missing
 */
async function cloudWatch(found: (query: Query) => string[] | undefined, ending = 'Complete') {
  const queries: Query[] = [];
  const looked = new Set<string>();
  const failure = (type: string, message: string) => answer(400, { __type: type, message });
  const answer = (status: number, body: object) => ({
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(body),
  });
  server = await listen(({ headers, body }) => {
    const input = JSON.parse(Buffer.from(body).toString());
    switch (headers['x-amz-target']) {
      case 'Logs_20140328.StartQuery': {
        if (found(input) === undefined) {
          return failure('ResourceNotFoundException', 'The specified log group does not exist.');
        }
        queries.push(input);
        return answer(200, { queryId: String(queries.length - 1) });
      }
      case 'Logs_20140328.GetQueryResults': {
        const { queryId } = input;
        const isFirst = !looked.has(queryId);
        looked.add(queryId);
        if (isFirst) return answer(200, { status: 'Running', results: [] });
        const rows = found(queries[Number(queryId)] as Query) ?? [];
        const results = rows.map((value) => [
          { field: '@timestamp', value: 'any' },
          { field: '@message', value: `${value}\n` },
          { field: '@ptr', value: 'any' },
        ]);
        return answer(200, { status: ending, results });
      }
      default:
        return failure('AccessDeniedException', `not allowed: ${headers['x-amz-target']}`);
    }
  });
  const env = {
    AWS_ENDPOINT_URL: server.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
  };
  const logs = (...args: string[]) => inThisProcess(['logs', ...args], env);
  return { queries, logs };
}

const isSeeds = ({ logGroupNames }: Query) => logGroupNames.includes('/aws/lambda/Photos-seed');

describe('the log of a run on a stack', () => {
  it('is searched for the run and the index, from the creation of the run on', async () => {
    const lines = [
      logged(1, 'asked', { url: 'data:,x', line: 1 }),
      logged(1, 'An attempt failed', { level: 'WARN', again: true }),
      logged(2, 'asked'),
    ];
    const { queries, logs } = await cloudWatch(() => lines);
    const { status, stdout } = await logs(RUN, '17', '--stack', 'Photos');
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n')).toEqual([
      '2026-11-23T16:56:01.000Z INFO  attempt 1: asked url=data:,x',
      '2026-11-23T16:56:01.000Z WARN  attempt 1: An attempt failed again=true',
      '2026-11-23T16:56:02.000Z INFO  attempt 2: asked',
    ]);
    expect(queries).toHaveLength(1);
    const [{ logGroupNames, queryString, startTime, endTime } = {} as Query] = queries;
    expect(logGroupNames).toEqual(['/aws/lambda/Photos-worker', '/aws/lambda/Photos-burst']);
    expect(queryString).toContain(`filter runId in ["${RUN}"] | filter index = 17`);
    expect(startTime).toBeLessThanOrEqual(CREATED);
    expect(startTime).toBeGreaterThan(CREATED - 3_600);
    expect(endTime).toBeGreaterThan(startTime);
    expect(endTime).toBeLessThan(CREATED + 15 * 86_400);
    const raw = await logs(RUN, '17', '--stack', 'Photos', '--json');
    expect(raw.stdout).toBe(`${lines.join('\n')}\n`);
  });

  it('is found without burst workers', async () => {
    const { logs } = await cloudWatch(({ logGroupNames }) =>
      logGroupNames.includes('/aws/lambda/Photos-burst') ? undefined : [logged(1, 'asked')],
    );
    expect((await logs(RUN, '17', '--stack', 'Photos')).stdout).toContain('attempt 1: asked');
  });

  it('is found by the output file, whose record names the stack and the runs', async () => {
    const output = join(folder, 'results.jsonl');
    const again = RUN.replace('23T', '24T');
    const record = [
      { v: 1, task: 'resize', ordered: false, withInput: false },
      { runId: RUN, place: 'stack Photos' },
      { read: 20, hash: 'h', end: true },
      { over: true },
      { runId: again, place: 'stack Photos' },
    ];
    writeFileSync(`${output}.run`, record.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const { queries, logs } = await cloudWatch(() => [
      logged(1, 'asked'),
      logged(1, 'asked again', { runId: again }),
    ]);
    const { stdout } = await logs(output, '17');
    expect(stdout).toContain(`run ${RUN}, attempt 1: asked\n`);
    expect(stdout).toContain(`run ${again}, attempt 1: asked again\n`);
    expect(queries[0]?.queryString).toContain(JSON.stringify([RUN, again]));
    const silent = await cloudWatch(() => []);
    expect(await silent.logs(output, '17')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('no log lines of input 17'),
    });
    expect(await silent.logs(output, '20')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('has 20 inputs, 0 to 19'),
    });
  });

  it.each<[string, (query: Query) => string[] | undefined, number, string]>([
    [
      'an input has none',
      (query) => (isSeeds(query) ? [JSON.stringify({ runId: RUN, first: 10, count: 8 })] : []),
      0,
      'no log lines of input 17',
    ],
    [
      'the run has fewer inputs',
      (query) => (isSeeds(query) ? [JSON.stringify({ runId: RUN, first: 10, count: 7 })] : []),
      2,
      'has 17 inputs, 0 to 16',
    ],
    ['the run is unknown', () => [], 2, `no line of run ${RUN}`],
    ['the stack does not exist', () => undefined, 2, 'no log group /aws/lambda/Photos-worker'],
  ])('says so when %s', async (_, found, status, sentence) => {
    const { logs } = await cloudWatch(found);
    const ended = await logs(RUN, '17', '--stack', 'Photos');
    expect(ended).toMatchObject({ status, stdout: '' });
    expect(ended.stderr).toContain(sentence);
  });

  it('says so when the query fails, or AWS denies it', async () => {
    const { logs } = await cloudWatch(() => [], 'Timeout');
    const ended = await logs(RUN, '17', '--stack', 'Photos');
    expect(ended.status).toBe(3);
    expect(ended.stderr).toContain('the status Timeout');
  });
});

it('the live page links to Logs Insights, with the query for one input', async () => {
  vi.stubEnv('AWS_REGION', 'eu-north-1');
  const link = await logsInsightsLink('Photos', RUN, 17);
  vi.unstubAllEnvs();
  const [address = '', detail = ''] = link.split('$3FqueryDetail$3D');
  expect(address).toBe(
    'https://eu-north-1.console.aws.amazon.com/cloudwatch/home?region=eu-north-1#logsV2:logs-insights',
  );
  // Only what separates its parts is not encoded.
  expect(detail).toMatch(/^~\(end~'[\w*.-]+~start~'[\w*.-]+~timeType~'ABSOLUTE~tz~'UTC~/);
  const texts = decodeURIComponent(detail.replaceAll('*', '%')).split("~'");
  expect(texts).toContain('2026-11-23T16:50:14.000Z~timeType');
  expect(texts).toContain(
    `fields @timestamp, @message | filter runId in ["${RUN}"] | filter index = 17 | sort @timestamp asc~source~(`,
  );
  expect(texts.slice(-2)).toEqual(['/aws/lambda/Photos-worker', '/aws/lambda/Photos-burst))']);
});
