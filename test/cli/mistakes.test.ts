// Typical mistakes of a first hour at the command line, and what the answers must say. Those in
// code are in test/mistakes.test.ts; those that need processes, in mistakes-at-work.test.ts.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { serveSqs } from '../../src/emulator/sqs/index.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import { expectAnswer, filesOf, type Phrase, type Row } from './answers.ts';
import { inThisProcess } from './in-this-process.ts';

const { folder, file } = filesOf('mistakes');
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const one = ['--range', '1'];
const RUN = newRunId();
const echo = (...args: string[]) => ['run', 'echo', ...args];
const failing = (limit: string) => echo(...one, '--pause-when-failing', limit);
const input = (name: string, text: string | Uint8Array) =>
  echo('--workers', '1', '--input', file(name, text));
const jsonl = file('good.jsonl', '1\n2\n');
const priced = (path: string) => echo(...one, '--prices', path, '--stack', 'Photos');
const old = file('old.txt', 'old');

const USAGE: Row[] = [
  ['no command', [], 'Usage: fanfold'],
  ['an unknown command', ['runn'], "unknown command 'runn'", 'Did you mean one of run, runs?'],
  ['the library’s name of a command', ['map', 'echo'], 'Did you mean fanfold run TASK?'],
  ['another tool’s name', ['start'], 'Did you mean fanfold serve, or fanfold run TASK?'],
  ['the deployment, which is the CDK’s', ['deploy'], 'npx cdk deploy'],
  ['no task', ['run'], "missing required argument 'task'", 'fanfold tasks lists them'],
  ['a misspelt option', echo('--inputs', 'a'), "unknown option '--inputs'", 'mean --input?'],
  ['another misspelt option', echo('--outptu', 'x'), "unknown option '--outptu'"],
  ['Celery’s rate', echo('--rate-limit', '4/s'), 'Did you mean --rate?'],
  ['BullMQ’s option', echo('--attempts', '4'), '`maxAttempts` of defineTask()'],
  ['Celery’s option', echo('--max-retries', '4'), '`maxAttempts` of defineTask()'],
  ['a time limit for an input', echo('--timeout', '4'), '`timeoutSeconds` of defineTask()'],
  ['the CDK’s option', echo('--stackName', 'Photos'), 'Did you mean --stack?'],
  ['a short option', echo('-o', 'x'), 'Did you mean --output?'],
  ['an option of another command', echo('--until-empty'), 'is an option of fanfold work'],
  ['an unquoted pattern', echo('--glob', 'a.jpg', 'b.jpg'), /too many.*--glob.*quote a pattern/],
  ['an input without its option', echo('a.jsonl'), 'too many arguments', '--input FILE'],
  ['an empty value', echo(...one, '--output', ''), '--output is empty: give it a value'],
  ['an empty queue', ['sqs', '--queue', 'a', '--queue', ''], '--queue is empty'],
  ['no workers', echo(...one, '--workers', '0'), 'from 1 to 1000; got "0"'],
  ['workers that are no number', echo(...one, '--workers', 'two'), 'got "two"'],
  ['a concurrency of 0', echo(...one, '--concurrency', '0'), '--concurrency must', 'got 0'],
  ['a negative concurrency', echo(...one, '--concurrency', '-3'), '1 to 100000; got -3'],
  ['a concurrency that is no number', echo(...one, '--concurrency', '4x'), 'got "4x"'],
  ['a cost that is no number', echo(...one, '--max-cost', '$5'), '--max-cost must be', 'got "$5"'],
  ['a negative cost', echo(...one, '--max-cost=-5'), '--max-cost must be a number of US dollars'],
  ['a pause without a cost', echo(...one, '--pause-at-cost'), '--pause-at-cost needs a limit'],
  ['a cost of nothing to set', ['set', 'run', '--max-cost', 'no'], '--max-cost', 'got "no"'],
  ['a stack without a value', echo(...one, '--as-if', 'big'), '--as-if must be', 'got "big"'],
  ['an unknown property', echo(...one, '--as-if', 'ram=5'), 'no property "ram"', 'memorySize'],
  ['a wrong memory', echo(...one, '--as-if', 'memory=5'), 'from 128 to 10240; got 5'],
  ['a wrong processor', echo(...one, '--as-if', '{"architecture":"x86"}'), 'arm64 or x86_64'],
  ['a wrong region', echo(...one, '--as-if', 'region=Frankfurt'), 'such as eu-central-1'],
  ['properties that are no JSON', echo(...one, '--as-if', '{memory'), '--as-if is no JSON'],
  ['as if, elsewhere', echo(...one, '--as-if', 'memory=512', '--stack', 'P'), 'on this machine'],
  [
    'a pause that nothing ends',
    echo(...one, '--as-if', 'memory=512', '--max-cost', '5', '--pause-at-cost'),
    'no other command can let a run on this machine go on',
  ],
  [
    'a cost where nothing is billed',
    echo(...one, '--max-cost', '5'),
    '--max-cost is for runs that are metered',
    '--as-if',
  ],
  ['prices that are not there', priced('none.json'), 'none.json cannot be read: there is no such'],
  ['prices that are no JSON', priced(file('p.json', '{"a')), '--prices', 'must be JSON'],
  ['an unknown price', priced(file('q.json', '{"us-east-1":{"gb":1}}')), 'has no price "gb"'],
  ['a negative price', priced(file('r.json', '{"*":{"event":-1}}')), '"event" of "*" must be'],
  [
    'prices where nothing is billed',
    priced(file('s.json', '{}')).slice(0, -2),
    '--prices is for runs that are metered',
  ],
  ['a rate without a unit', echo(...one, '--rate', '100'), '--rate must be like "100/s"'],
  ['a rate with another unit', echo(...one, '--rate', '100/x'), 'got "100/x"'],
  ['a rate of 0', echo(...one, '--rate', '0/s'), '--rate must be from 1/h', 'got "0/s"'],
  ['a rate below one an hour', echo(...one, '--rate', '0.5/h'), '--rate must be from 1/h'],
  ['no share of failures', failing('0%/1m'), '--pause-when-failing must', 'over 0%', '"0%/1m"'],
  ['too large a share', failing('150%/1m'), 'at most 100%; got "150%/1m"'],
  ['a share without a time', failing('50'), 'like "50%/1m"', 'got "50"'],
  ['a time of 0', failing('50%/0s'), 'a time from 1s to 24h; got "50%/0s"'],
  ['a time that is none', failing('50%/x'), 'like "50%/1m"', 'got "50%/x"'],
  ['a share without its sign', failing('50/1m'), 'like "50%/1m"', 'got "50/1m"'],
  ['a wrong time to pause', failing('50%/25h'), 'a time from 1s to 24h; got "50%/25h"'],
  ['another priority', echo(...one, '--priority', '1'), '--priority must be "high"', 'got "1"'],
  ['a hedge of a task that may not run twice', echo(...one, '--hedge'), '`idempotent: true`'],
  ['nothing to set', ['set', 'x', '--stack', 'a'], 'nothing to set', 'none removes a bound'],
  ['a wrong rate to set', ['set', 'x', '--rate', '1', '--stack', 'a'], '--rate must be like'],
  ['a local run to set', ['set', 'x', '--rate', '1/s'], '--stack NAME, --endpoint URL'],
  ['a pause’s other end', ['resume', 'x'], 'fanfold unpause RUN'],
  ['a deadline without a unit', echo(...one, '--deadline', '5'), 'such as 90s, 30m', 'got "5"'],
  ['more failures than inputs', echo(...one, '--max-failures', '101%'), 'at most 100%', '"101%"'],
  ['--resume without results', echo(...one, '--resume'), 'name it with --output'],
  ['a run without its place', ['status', 'x'], '--stack NAME, --endpoint URL'],
  ['two places', echo(...one, '--stack', 'a', '--endpoint', 'b'), 'each name a place'],
  ['an address that is no URL', echo(...one, '--endpoint', '127.0.0.1:9324'), 'must be a URL'],
];

const INPUTS: Row[] = [
  ['no inputs', echo(), 'Name a source of inputs: --input FILE'],
  ['two kinds', echo(...one, '--input', jsonl), '--input and --range each name'],
  ['a range that is none', echo('--range', '1-5'), 'like 10 or 1..10; got "1-5"'],
  ['a range that ends first', echo('--range', '5..1'), 'ends before it starts'],
  ['a missing file', echo('--input', 'no.jsonl'), 'no.jsonl cannot be read: there is no such file'],
  ['a folder', echo('--input', folder), 'is a folder: name a file, or', '--glob'],
  ['a pattern without files', echo('--glob', `${folder}/*.none`), 'matches no file'],
  ['a JSON document', input('array.json', '[1,2]'), 'must be JSON lines', "jq -c '.[]'"],
  ['an array over lines', input('array.jsonl', '[\n1,\n2\n]\n'), "jq -c '.[]'"],
  ['an object over lines', input('object.jsonl', '{\n"a": 1\n}\n'), 'jq -c .'],
  ['malformed JSON', input('bad.jsonl', '1\n\n{"a":\n4\n'), /bad\.jsonl, line 3: .* not JSON/],
  ['CSV as JSON lines', input('csv.jsonl', 'id,name\n1,Ada\n'), 'line 1', 'rename it to .csv'],
  ['JSON lines as CSV', input('jsonl.csv', '{"a":1,"b":2}\n'), 'this is JSON. Rename', '.jsonl'],
  ['semicolons', input('semi.csv', 'a;b\n1;2\n'), 'semicolons separate the fields', 'python3'],
  ['semicolons or commas', input('both.csv', 'a;b,c\n1;2,3\n'), 'commas or semicolons', 'quote'],
  ['a row of other length', input('bad.csv', 'a,b\n1,2\n3\n'), /bad\.csv, line 3: the row has 1/],
  ['an unknown format', input('a.tsv', 'a\tb\n'), 'Known extensions: .jsonl, .ndjson, .csv'],
  ['UTF-16', input('utf16.csv', Buffer.from('\ufeffa\n1\n', 'utf16le')), 'is UTF-16', 'iconv'],
  [
    'Latin-1',
    input('l.jsonl', Buffer.from('1\n"\xe9"\n', 'latin1')),
    /line 2: .*not UTF-8/,
    'iconv',
  ],
  ['gzip', input('a.jsonl.gz', gzipSync('1\n')), 'compressed by gzip', 'gunzip -c'],
  ['gzip, renamed', input('gz.jsonl', gzipSync('1\n')), 'compressed by gzip', 'gunzip -c'],
  [
    'an input over the limit',
    input('long.jsonl', `"${'x'.repeat(67_108_864)}"\n`),
    /long\.jsonl, line 1: .*at most 67108864 \(64 MiB\)/,
  ],
];

const OUTPUTS: Row[] = [
  ['results there', echo(...one, '--output', old), 'exists already', '--overwrite'],
  ['no folder', echo(...one, '--output', join(folder, 'no/x')), 'does not exist. Create it first'],
  ['a folder', echo(...one, '--output', folder), 'is a folder: name a file in it'],
  ['the input', echo('--input', jsonl, '--output', jsonl), 'is the input'],
];

const s3 = (...args: string[]) => echo(...one, '--output', 's3://b-1/x/', ...args);
const stored = (...args: string[]) => s3('--stack', 'Photos', ...args);

const STORED: Row[] = [
  ['results in S3 without a stack', s3(), 'name the stack with --stack', 'aws s3 cp -'],
  ['a scheme in capitals', echo(...one, '--output', 'S3://b-1/x/'), 'name the stack with --stack'],
  ['its inputs', echo('--input', 'S3://b-1/x.jsonl'), 'name the stack with --stack'],
  [
    'its run',
    echo(...one, '--output', '/x', '--resume', 'S3://b-1/x/'),
    '--resume s3://b-1/x/: results of this run are in S3',
  ],
  [
    'a bucket that is none',
    echo(...one, '--stack', 'a', '--output', 's3://B'),
    'like "s3://bucket',
  ],
  [
    'one slash',
    echo(...one, '--stack', 'a', '--output', 's3:/b-1/x'),
    'like "s3://bucket/prefix/"',
  ],
  [
    'a prefix that no tag holds',
    echo(...one, '--stack', 'a', '--output', 's3://b-1/a*/'),
    'letters',
  ],
  [
    'a file that looks like a place in S3',
    echo(...one, '--stack', 'a', '--output', 's3'),
    '--output s3://',
    './s3',
  ],
  ['another format', stored('--format', 'xlsx'), 'jsonl or csv or parquet; got "xlsx"'],
  ['another compression', stored('--compression', 'br'), 'gzip or zstd; got "br"'],
  [
    'a format of a file',
    echo(...one, '--format', 'csv'),
    '--output s3://BUCKET',
    'of inputs follows',
  ],
  ['a compressed file', echo(...one, '--compression', 'gzip'), 'that a stack stores in S3'],
  ['a detached local run', echo(...one, '--detach'), '--detach is for results', '--stack NAME'],
  ['inputs in results there', stored('--with-input'), '--with-input adds inputs'],
  ['a resumed stored run', stored('--resume'), '--resume RUN', 'fanfold wait RUN'],
  ['an overwritten stored run', stored('--overwrite'), 'a folder of its own'],
  ['reports there', stored('--on-bad-input', 'report'), 'use skip or fail'],
  ['a report for which nobody waits', stored('--detach', '--report', 'a.html'), 'fanfold wait RUN'],
  ['failed inputs there', stored('--report', 'a.html', '--report-inputs'), 'not seen here'],
  ['a report of a run without its place', ['report', RUN], '--stack NAME, --endpoint URL'],
  [
    'inputs of a run elsewhere',
    ['report', RUN, '--stack', 'a', '--report-inputs'],
    'no place has them',
  ],
  ['a report of a file that is not there', ['report', 'none.jsonl'], 'name its id and the place'],
  ...[
    echo(...one, '--report', '-'),
    ['wait', 'x', '--stack', 'a', '--report', '-'],
    ['plan', 'echo', ...one, '--report', '-'],
    ['report', RUN, '--stack', 'a', '--output', '-'],
  ].map((args): Row => [`a page on standard output of ${args[0]}`, args, 'written to a file, not']),
  ['a run to wait for without its place', ['wait', 'x'], '--stack NAME, --endpoint URL'],
  ['another name of wait', ['follow', 'x'], 'Did you mean fanfold wait RUN?'],
  ['another name of results', ['fetch', 'x'], 'Did you mean fanfold results RUN?'],
  ['results without their place', ['results', 'x'], '--stack NAME, --endpoint URL'],
];

const TASK_NAMES: Row[] = [
  ['a misspelt task', ['run', 'ecko', ...one], 'no task named "ecko". Did you mean "echo"?'],
  ['a task without its module', ['run', 'resize', ...one], '--tasks FILE', 'in package.json'],
  ['a file as a task', ['run', 'src/tasks.ts', ...one], 'by --tasks src/tasks.ts'],
];

const all = { USAGE, INPUTS, OUTPUTS, STORED, TASK_NAMES };
describe.each(Object.entries(all))('status 2 and a sentence: %s', (_, rows) => {
  it.each(rows)('%s', (_, args, ...phrases) => expectAnswer(args, 2, phrases));
});

describe('settings', () => {
  const none = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  const keys = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
  const stack = ['runs', '--stack', 'Photos'];
  const down = ['runs', '--endpoint', 'http://127.0.0.1:9'];

  it.each<[string, string[], NodeJS.ProcessEnv, number, ...Phrase[]]>([
    ['no region', stack, {}, 3, 'No AWS region is configured: set AWS_REGION'],
    ['no credentials', stack, { AWS_REGION: 'eu-west-1' }, 3, 'no AWS credentials', 'AWS_PROFILE'],
    ['no server', down, keys, 3, 'No server responds', '`fanfold serve` runs there'],
    ['an empty join', echo(...one), { FANFOLD_JOIN: '' }, 2, 'FANFOLD_JOIN is empty', 'unset it'],
    ['half a join', ['work'], { FANFOLD_JOIN: 'http://a@b' }, 2, 'FANFOLD_JOIN must be the whole'],
  ])('%s', async (_, args, environment, status, ...phrases) => {
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    for (const [name, value] of Object.entries({ ...none, ...environment }))
      vi.stubEnv(name, value);
    await expectAnswer(args, status, phrases);
  });

  it('another region than the stack’s, or a stack that does not exist', async () => {
    await using aws = await serveSqs({ port: 0 });
    const environment = { ...none, ...keys, AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: aws.url };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    await expectAnswer(stack, 2, [
      '"Photos" was not found',
      'Check the name, the account and the region',
    ]);
  });

  it.each<[object, ...string[]]>([
    [{ fanfold: { task: 'a.ts' } }, 'only the key "tasks"', '{"task":"a.ts"}'],
    [{ fanfold: 'a.ts' }, '`fanfold` must be like {"tasks": "src/tasks.ts"}'],
    [{ fanfold: { tasks: ['a.ts'] } }, 'the path of one tasks module'],
  ])('in package.json: %j', async (content, ...phrases) => {
    const project = join(folder, 'project');
    mkdirSync(project, { recursive: true });
    file('project/package.json', JSON.stringify(content));
    vi.spyOn(process, 'cwd').mockReturnValue(project);
    await expectAnswer(['tasks'], 2, ['package.json', ...phrases]);
  });
});

it('--help and --version give status 0', async () => {
  for (const args of [['--help'], ['run', '--help'], ['--version']]) {
    const { status, stdout } = await inThisProcess(args);
    expect(status).toBe(0);
    expect(stdout).not.toBe('');
  }
});

it('--help of each command describes its options', async () => {
  const phrases: Record<string, string> = {
    run: 'resume a run that ended early',
    serve: 'serve SQS and Lambda on a port',
    work: 'run them in worker processes on this machine',
    tasks: 'list the tasks that can be run',
    logs: 'show the log lines of one input',
    runs: 'list unfinished runs, oldest first',
    status: 'show the progress of a run',
    collect: 'if it already belongs to this run, results are appended',
    cancel: 'inputs without a result end as cancelled',
    redrive: 'from the dead-letter queue back to the task queue',
    doctor: 'check for problems before and after a deployment',
    sqs: 'create this queue on startup; repeat for more',
  };
  const words = (text: string) => text.replaceAll(/\s+/g, ' ');
  for (const [command, phrase] of Object.entries(phrases)) {
    const { status, stdout } = await inThisProcess([command, '--help']);
    expect(status).toBe(0);
    expect(words(stdout)).toContain(phrase);
  }
  const { stderr } = await inThisProcess(['run', '--nonsense']);
  expect(stderr).toContain('fanfold --help lists the commands');
});
