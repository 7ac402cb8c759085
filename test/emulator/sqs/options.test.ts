import { describe, expect, it } from 'vitest';
import { Sqs, type SqsOptions, serveSqs } from '../../../src/emulator/sqs/index.ts';

/** Values that a JavaScript caller, or one that reads a configuration, may pass. */
const given = (options: object) => options as SqsOptions;

describe('options that are refused, with the reason', () => {
  it.each<[options: object, sentence: RegExp]>([
    [{ accountId: 123456789012 }, /account id must be a string of 12 digits; got 123456789012/],
    [{ accountId: '1234' }, /account id must be a string of 12 digits/],
    [{ url: 'http://h:1/path' }, /`url` must be like/],
    [{ url: 'http://h:1?query' }, /`url` must be like/],
    [{ url: 'http://name@h:1' }, /`url` must be like/],
    [{ url: 'ftp://h' }, /`url` must be like/],
    [{ url: 'h:1' }, /`url` must be like/],
    [{ fifoMemorySeconds: -1 }, /`fifoMemorySeconds` must be 0 or more/],
    [{ fifoMemorySeconds: Number.NaN }, /`fifoMemorySeconds` must be 0 or more/],
    [{ region: 'eu west' }, /A region must be a string such as/],
    [{ strictTimings: true }, /new Sqs\(\) has no key "strictTimings".*strictTiming/],
    [{ strictTiming: 'yes' }, /`strictTiming` must be true or false; got "yes"/],
    [{ store: 'folder' }, /`store` must be a store that openStore\(\) returned; got "folder"/],
    [{ onQueue: 1 }, /`onQueue` must be a function/],
  ])('an Sqs: %j', (options, sentence) => {
    expect(() => new Sqs(given(options))).toThrow(sentence);
  });

  it.each<[options: object, sentence: RegExp]>([
    [{ port: 'x' }, /`port` must be a whole number from 0 to 65535/],
    [{ port: '9324' }, /`port` must be a whole number/],
    [{ port: 65_536 }, /`port` must be a whole number/],
    [{ port: -1 }, /`port` must be a whole number/],
    [{ requestTimeoutSeconds: Number.NaN }, /`requestTimeoutSeconds`/],
    [{ requestTimeoutSeconds: 0 }, /`requestTimeoutSeconds` must be a number of seconds over 0/],
    [{ store: 'folder' }, /`store` must be a store/],
    [5 as unknown as object, /serveSqs\(\): expected an object; got 5/],
    [{ credentials: null }, /`credentials` must be a list/],
    [{ credentials: [] }, /`credentials` must be a list/],
    [{ credentials: [null] }, /`credentials` must be a list/],
    [{ credentials: [{ accessKeyId: 1, secretAccessKey: 'x' }] }, /`credentials` must be a list/],
    [
      { credentials: [{ accessKeyId: 'a/b', secretAccessKey: 'x' }] },
      /`credentials` must be a list/,
    ],
    [{ credential: [] }, /serveSqs\(\) has no key "credential".*credentials/],
    [{ sqs: new Sqs(), background: true }, /`background` is an option of a new Sqs/],
    [{ host: '0.0.0.0' }, /Other machines can reach 0\.0\.0\.0/],
    [{ sqs: new Sqs(), region: 'eu-west-1' }, /`region` is an option of a new Sqs/],
    [{ sqs: new Sqs(), strictTiming: false }, /`strictTiming` is an option of a new Sqs/],
  ])('a server: %j', async (options, sentence) => {
    await expect(serveSqs(given(options))).rejects.toThrow(sentence);
  });
});

it('a URL may end with a slash', async () => {
  const sqs = new Sqs({ url: 'https://sqs.local:9324/' });
  const made = await sqs.service({
    method: 'POST',
    path: '/',
    query: new URLSearchParams({ Action: 'CreateQueue', QueueName: 'q' }),
    headers: {},
    body: '',
    signal: new AbortController().signal,
  });
  expect(made.body).toContain('<QueueUrl>https://sqs.local:9324/000000000000/q</QueueUrl>');
});
