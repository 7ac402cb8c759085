import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { printable, printableJsonLines, shellWord } from '../../src/inputs/printable.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import { REPOSITORY, results } from './command.ts';
import { inThisProcess } from './in-this-process.ts';
import { aUser } from './serving.ts';
import { atTerminal } from './terminal.ts';

/** Sets the title, clears the screen by C0 and by C1, forges a line, turns text around. */
const HOSTILE =
  '\u001b]0;owned\u0007\u001b[2J\u009b2J\nfanfold: all is well\r\u202egnp.exe\u2028\u007f';
const SHOWN = String.raw`\x1b]0;owned\x07\x1b[2J\x9b2J\nfanfold: all is well\r\u202egnp.exe\u2028\x7f`;

/** Checks that a text contains no control characters except newlines. */
function expectPlain(text: string): void {
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
  expect(text).not.toMatch(/^fanfold: all is well/m);
}

aUser();
const folder = mkdtempSync(join(tmpdir(), 'fanfold-hostile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const TASKS = join(folder, 'tasks.ts');
writeFileSync(
  TASKS,
  `import { defineTask } from '${REPOSITORY}/src/index.ts';
export const bad = defineTask({ name: 'bad', maxAttempts: 1, run: (text: string) => { throw new Error(text); } });
export const same = defineTask({ name: 'same', run: (text: string) => text });`,
);

/** Environment for a command whose SQS returns these responses, and refuses other calls. */
async function answering(
  answersOf: (url: string) => Record<string, object>,
): Promise<NodeJS.ProcessEnv> {
  const server = createServer((request, response) => {
    request.resume();
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '');
    const answer = answersOf(`http://${request.headers.host}`)[action];
    response.writeHead(answer ? 200 : 403, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(answer ?? { __type: 'com.amazonaws.sqs#Odd', message: HOSTILE }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
  };
}

const inputs = join(folder, 'inputs.jsonl');
writeFileSync(inputs, `${JSON.stringify(HOSTILE)}\n`);

describe('foreign text that a command writes to a pipe cannot control a terminal:', () => {
  it.each<[what: string, args: string[], shown: string, status: number]>([
    ['a task’s name', ['run', HOSTILE, '--range', '1'], `There is no task named "${SHOWN}"`, 2],
    ['an option', ['run', 'echo', `--${HOSTILE}`], SHOWN, 2],
    ['a command', [`runs${HOSTILE}`], SHOWN, 2],
    ['an input file’s name', ['run', 'echo', '--input', `${HOSTILE}.jsonl`], SHOWN, 2],
    [
      'an output file’s name',
      ['run', 'echo', '--range', '1', '--output', `no/${HOSTILE}`],
      SHOWN,
      2,
    ],
    ['a glob', ['run', 'echo', '--glob', `${folder}/*${HOSTILE}`], SHOWN, 2],
    ['a module’s name', ['tasks', '--tasks', `${HOSTILE}.ts`], SHOWN, 2],
    ['an endpoint', ['runs', '--endpoint', `http://${HOSTILE}`], 'fanfold: ', 2],
    ['a run id', ['status', HOSTILE, '--endpoint', 'http://127.0.0.1:1'], 'fanfold: ', 3],
    ['a stack’s name', ['runs', '--stack', HOSTILE], SHOWN, 2],
    [
      'an error’s message',
      [
        'run',
        'bad',
        '--input',
        inputs,
        '--tasks',
        TASKS,
        '--workers',
        '1',
        '--output',
        `${folder}/o`,
      ],
      `1 failed, input 0: TaskFailed: Error: ${SHOWN}`,
      1,
    ],
  ])('%s', async (_, args, shown, status) => {
    const ended = await inThisProcess(args);
    expect(ended.stderr).toContain(shown);
    expectPlain(ended.stderr);
    expect(ended.status).toBe(status);
  });

  it('a run’s tags', async () => {
    const runId = newRunId();
    const tags = { task: HOSTILE, state: HOSTILE, total: HOSTILE, ok: HOSTILE, expiresAt: HOSTILE };
    const env = await answering((url) => ({
      // The same for all queues: the deployment's name is taken from it.
      GetQueueUrl: { QueueUrl: `${url}/1/Photos-tasks` },
      GetQueueAttributes: { Attributes: { ApproximateNumberOfMessages: '0' } },
      ListQueues: { QueueUrls: [`${url}/1/Photos-run-${runId}`] },
      ListQueueTags: { Tags: tags },
    }));
    for (const args of [['runs'], ['status', runId]]) {
      const { stdout, stderr, status } = await inThisProcess([...args, '--stack', 'Photos'], env);
      expect(stdout).toContain(SHOWN);
      expectPlain(stdout);
      expectPlain(stderr);
      expect(status).toBe(0);
    }
  });

  it('an error’s text of AWS', async () => {
    const { stderr, status } = await inThisProcess(
      ['runs', '--stack', 'Photos'],
      await answering(() => ({})),
    );
    expect(stderr).toContain(SHOWN);
    expectPlain(stderr);
    expect(status).toBe(3);
  });
});

describe.runIf(process.platform === 'linux')('at a terminal', () => {
  it('results keep their values and cannot control the terminal', async () => {
    const line = `fanfold run same --input ${inputs} --tasks ${TASKS} --workers 1 --quiet`;
    const { written } = await atTerminal(line, 200).ended;
    const [text = ''] = written.split('\r\n');
    expectPlain(text);
    expect(results(text)[0]?.output).toBe(HOSTILE);
  });

  it('messages contain no control sequences but our own', async () => {
    const line = `fanfold run bad --input ${inputs} --tasks ${TASKS} --workers 1 --output ${folder}/p`;
    const { written } = await atTerminal(line, 200).ended;
    expect(written).toContain(SHOWN);
    expectPlain(written.replaceAll('\r\u001b[K', '').replaceAll('\r\n', '\n'));
  });
});

it('a shell reads a quoted argument unchanged', () => {
  for (const text of [HOSTILE, "it's", 'ü \u001b', "\\'\u202e$(x)`y`", 'plain', '']) {
    const word = shellWord(text);
    expect(printable(word)).toBe(word);
    const read = execFileSync('bash', ['-c', `printf %s ${word}`], { encoding: 'utf8' });
    expect(read).toBe(text);
  }
});

it('printable JSON keeps its value', () => {
  const text = `${JSON.stringify({ [HOSTILE]: HOSTILE })}\n`;
  expect(JSON.parse(printableJsonLines(text))).toEqual({ [HOSTILE]: HOSTILE });
});
