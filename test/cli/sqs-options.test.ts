import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { inThisProcess } from './in-this-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-sqs-options-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The error of a wrong command line. */
async function mistake(args: readonly string[]): Promise<string> {
  const { status, stderr } = await inThisProcess(['sqs', '--port', '0', ...args]);
  expect(status).toBe(2);
  expect(stderr).not.toMatch(/\n\s+at /);
  return stderr;
}

it.each<[string, unknown, string[]]>([
  ['no JSON', '{', ['expected JSON, such as {"queues"']],
  ['nothing', '', ['expected JSON', 'it is empty']],
  ['a queue twice', { queues: ['a', { name: 'a' }] }, ['queues[1] ("a"): another queue has']],
  [
    'a queue twice, whose account is its default',
    { queues: ['a', { name: 'a', accountId: '000000000000' }] },
    ['queues[1] ("a"): another queue has'],
  ],
  ['a list', [], ['expected a JSON object']],
  ['an unknown key', { queue: ['a'] }, ['there is no key "queue"', 'queues']],
  ['queues that are no list', { queues: 'a' }, ['queues: expected a list', 'received "a"']],
  ['a queue that is none', { queues: ['a', 5] }, ['queues[1]: expected a name', 'got 5']],
  ['a key of a queue', { queues: [{ name: 'a', tag: {} }] }, ['queues[0] has no key "tag"']],
  ['a tag', { queues: [{ name: 'a', tags: { b: 1 } }] }, ['queues[0].tags.b: expected a string']],
  [
    'an attribute',
    { queues: ['a', { name: 'b', attributes: { DelaySeconds: 901 } }] },
    ['queues[1] ("b"): Invalid value for the parameter DelaySeconds.'],
  ],
  [
    'a dead-letter queue',
    { queues: [{ name: 'a', deadLetterQueue: { name: 'none', maxReceiveCount: 1 } }] },
    ['queues[0] ("a").deadLetterQueue: The specified queue does not exist.'],
  ],
  ['credentials', { credentials: [{ accessKeyId: 'x' }] }, ['`credentials` must be a list of']],
  ['cors', { cors: ['localhost'] }, ['cors: expected a list of origins']],
])('a configuration file with %s', async (_, content, sentences) => {
  const config = join(folder, 'wrong.json');
  writeFileSync(config, typeof content === 'string' ? content : JSON.stringify(content));
  const said = await mistake(['--config', config]);
  for (const sentence of [`--config ${config}: `, ...sentences]) expect(said).toContain(sentence);
});

it.each<[string[], string]>([
  [['--config', 'not-there.json'], '--config not-there.json cannot be read: there is no such file'],
  [['--queue', 'a b'], '--queue ("a b"): Can only include'],
  [['--queue', 'a', '--cors', 'localhost:80'], '--cors: expected a list of origins'],
  [['--credentials', 'id'], '--credentials must be like an-id:its-secret'],
  [['--queue', 'a', '--queue', 'a'], '--queue ("a"): another queue has this name'],
  [['--credentials', 'i d:secret'], '`credentials` must be a list of'],
  [['--port', '70000'], '--port must be a whole number from 0 to 65535; got "70000"'],
  [['--account', '12'], 'must be a string of 12 digits'],
  [['--region', 'a b'], 'must be a string such as us-east-1'],
  [['--data', '/dev/null'], '/dev/null cannot be used: it is a file'],
  [['--nonsense'], "unknown option '--nonsense'"],
  [['jobs'], 'too many arguments'],
])('%j', async (args, sentence) => {
  expect(await mistake(args)).toContain(sentence);
});

it('a key in the environment is accepted like one on the command line', async () => {
  const key = { FANFOLD_SQS_CREDENTIALS: 'one:secret two' };
  const { status, stderr } = await inThisProcess(['sqs', '--port', '0'], key);
  expect(stderr).toContain('FANFOLD_SQS_CREDENTIALS must be like an-id:its-secret');
  expect(stderr).not.toContain('secret two');
  expect(status).toBe(2);
});

it('a secret in place of a list of keys is not printed', async () => {
  const config = join(folder, 'secret.json');
  writeFileSync(config, JSON.stringify({ credentials: { secretAccessKey: 's3cr3t' } }));
  const said = await mistake(['--config', config]);
  expect(said).toContain('credentials: expected');
  expect(said).not.toContain('s3cr3t');
});
