// @module-tag more
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
  TagQueueCommand,
} from '@aws-sdk/client-sqs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSqsClient, openStore, Sqs } from '../../../../src/emulator/sqs/index.ts';
import { FanfoldError } from '../../../../src/errors.ts';
import { DurableServer, testFolder } from './durable.ts';

async function create(client: SQSClient, QueueName: string): Promise<string> {
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName }));
  return QueueUrl;
}

/** Opens the store in a folder, and closes it at the end of the test. */
function open(
  folder: string,
  onWarning?: (message: string) => void,
): { sqs: Sqs; client: SQSClient } {
  const store = openStore(folder, onWarning ? { onWarning } : {});
  const sqs = new Sqs({ store, strictTiming: false });
  onTestFinished(() => sqs.close());
  return { sqs, client: createSqsClient(sqs) };
}

describe('the lock of a folder', () => {
  it('refuses a second server, and the first continues', async () => {
    const folder = await testFolder();
    const server = await DurableServer.start(folder);
    await expect(DurableServer.start(folder)).rejects.toThrow(
      /^StoreInUse: Another process has opened the store in .+, and only one can use it/,
    );
    expect(() => openStore(folder)).toThrow(FanfoldError);
    await create(server.client, 'still-there');
    await server.kill();
    // The lock ended with the process.
    const { sqs } = open(folder);
    expect(sqs.peek('still-there')).toEqual([]);
  });

  it('refuses a second store in the same process', async () => {
    const folder = await testFolder();
    open(folder);
    expect(() => openStore(folder)).toThrow('only one can use it');
  });

  it('is released when a store is closed', async () => {
    const folder = await testFolder();
    const { sqs } = open(folder);
    await sqs.close();
    open(folder);
  });

  it.each(['a file', 'nothing that may be made'])(
    'refuses %s as a folder for a store',
    async (what) => {
      const folder = await testFolder();
      writeFileSync(join(folder, 'file'), '');
      const path = what === 'a file' ? join(folder, 'file') : join(folder, 'file', 'below');
      expect(() => openStore(path)).toThrow(/Expected a folder to store queues in/);
    },
  );
});

it('a store belongs to one account in one region', async () => {
  const folder = await testFolder();
  await open(folder).sqs.close();
  expect(() => new Sqs({ store: openStore(folder), region: 'eu-west-1' })).toThrow(
    /belongs to account 000000000000 in us-east-1, and this SQS to account 000000000000 in eu-west-1/,
  );
  open(folder);
});

describe('a damaged store', () => {
  const BODY = 'the body of a message that is looked for '.repeat(25);

  /** A folder as a killed server leaves it, with two queues of a thousand messages. */
  async function killed(): Promise<string> {
    const folder = await testFolder();
    const server = await DurableServer.start(folder);
    for (const name of ['whole', 'hurt']) {
      const QueueUrl = await create(server.client, name);
      for (let first = 0; first < 200; first += 50) {
        await Promise.all(
          Array.from({ length: 50 }, (_, place) =>
            server.client.send(
              new SendMessageCommand({ QueueUrl, MessageBody: `${name} ${first + place} ${BODY}` }),
            ),
          ),
        );
      }
    }
    await server.kill();
    return folder;
  }

  /** The same, after an orderly close: everything is in the database, and there is no log. */
  async function closed(): Promise<string> {
    const folder = await killed();
    await new Sqs({ store: openStore(folder) }).close();
    return folder;
  }

  function refusal(folder: string): string {
    try {
      new Sqs({ store: openStore(folder) });
    } catch (error) {
      if (error instanceof FanfoldError && error.code === 'DamagedStore') return error.message;
      throw error;
    }
    throw new Error('It was opened.');
  }

  function overwrite(path: string, find: string, by: string): void {
    const bytes = readFileSync(path);
    const place = bytes.indexOf(find);
    expect(place).toBeGreaterThan(0);
    bytes.write(by, place);
    writeFileSync(path, bytes);
  }

  it('with one changed byte of a message names its queue and the message', async () => {
    const folder = await closed();
    overwrite(join(folder, 'queues.sqlite'), 'hurt 17 the', 'hurt 17 thE');
    const message = refusal(folder);
    expect(message).toMatch(/is damaged: the queue "hurt": message \d+ is corrupt\./);
    expect(message).not.toContain('whole');
    // Every attempt is refused, and nothing has been deleted.
    expect(refusal(folder)).toBe(message);
    overwrite(join(folder, 'queues.sqlite'), 'hurt 17 thE', 'hurt 17 the');
    expect(open(folder).sqs.peek('hurt')).toHaveLength(200);
  });

  it('with a page of garbage names the queue', async () => {
    const folder = await closed();
    const path = join(folder, 'queues.sqlite');
    const bytes = readFileSync(path);
    const page = Math.floor(bytes.indexOf('hurt 99 the') / 8192);
    bytes.fill(0xa5, page * 8192, (page + 1) * 8192);
    writeFileSync(path, bytes);
    expect(refusal(folder)).toMatch(/is damaged: the queue "hurt": /);
  });

  it.each([0.9, 0.5, 0.1])('with a database cut to %d of its length is refused', async (part) => {
    const folder = await closed();
    const path = join(folder, 'queues.sqlite');
    truncateSync(path, Math.floor(statSync(path).size * part));
    expect(refusal(folder)).toMatch(/is damaged: /);
  });

  it.each([
    ['empty', (path: string) => truncateSync(path, 0)],
    ['gone', (path: string) => rmSync(path)],
    ['garbage', (path: string) => writeFileSync(path, Buffer.alloc(100_000, 'garbage'))],
  ])('with a database that is %s is refused', async (_, damage) => {
    const folder = await closed();
    damage(join(folder, 'queues.sqlite'));
    expect(refusal(folder)).toMatch(/is damaged: /);
    expect(refusal(folder)).toMatch(/is damaged: /);
  });

  it.each([
    ['gone', (path: string) => rmSync(path)],
    ['empty', (path: string) => truncateSync(path, 0)],
    ['cut', (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2))],
    ['garbage', (path: string) => writeFileSync(path, Buffer.alloc(statSync(path).size, 7))],
  ])(
    'with a log that is %s, which SQLite reads as a shorter log, is refused',
    async (_, damage) => {
      const folder = await killed();
      damage(join(folder, 'queues.sqlite-wal'));
      expect(refusal(folder)).toMatch(
        /the last \d+ of \d+ transactions, .* are missing|is damaged/,
      );
    },
  );

  it('can be opened with the rest of a log by deleting the file `commits`', async () => {
    const folder = await killed();
    const log = join(folder, 'queues.sqlite-wal');
    truncateSync(log, Math.floor(statSync(log).size / 2));
    expect(refusal(folder)).toContain('(to continue without them, delete the file `commits`)');
    expect(existsSync(`${log}.damaged`)).toBe(true);
    rmSync(join(folder, 'commits'));
    expect(open(folder).sqs.peek('whole').length).toBeGreaterThan(0);
  });

  it('is never a copy that was made at some moment', async () => {
    const folder = await killed();
    const copy = await testFolder();
    cpSync(folder, copy, { recursive: true });
    expect(open(copy).sqs.peek('hurt')).toHaveLength(200);
  });
});

describe('a full disk', () => {
  /** A separate file system of this size in bytes; undefined if it cannot be mounted. */
  function smallDisk(folder: string, bytes: number): string | undefined {
    const path = join(folder, 'disk');
    mkdirSync(path);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'tmpfs', path], {
        stdio: 'ignore',
      });
    } catch {
      return undefined;
    }
    onTestFinished(() => {
      execFileSync('umount', ['--lazy', path]);
    });
    return path;
  }

  it('refuses changes, keeps the stored ones, and accepts changes again when there is space', async (test) => {
    const disk = smallDisk(await testFolder(), 3_000_000);
    if (disk === undefined) return test.skip('nothing may be mounted here');
    const warnings: string[] = [];
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(1_000_000));
    const { sqs, client } = open(disk, (message) => warnings.push(message));
    const QueueUrl = await create(client, 'q');
    const fifo = await client.send(
      new CreateQueueCommand({ QueueName: 'q.fifo', Attributes: { FifoQueue: 'true' } }),
    );
    const bodies: string[] = [];
    const send = async (body: string) => {
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
      bodies.push(body);
    };
    await send('first');
    const { Messages: [held] = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 600 }),
    );
    const fillUp = async () => {
      for (;;) await send(`${bodies.length} `.padEnd(50_000, 'x'));
    };
    await expect(fillUp()).rejects.toMatchObject({
      name: 'ServiceUnavailable',
      $metadata: { httpStatusCode: 503 },
      $retryable: {},
    });
    expect(warnings).toEqual([
      expect.stringMatching(/^Changes cannot be stored in .+: its disk is full/),
    ]);
    // A refused change has no effect.
    const refused = [
      new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(500_000) }),
      new CreateQueueCommand({ QueueName: 'other', tags: { a: 'x'.repeat(200) } }),
      new SendMessageCommand({
        QueueUrl: fifo.QueueUrl,
        MessageBody: 'x'.repeat(500_000),
        MessageGroupId: 'g',
        MessageDeduplicationId: 'd',
      }),
    ];
    for (const command of refused) {
      await client.send(command as SendMessageCommand).catch(() => {});
    }
    expect(sqs.peek('q').map(({ body }) => body)).toEqual(bodies);
    expect(sqs.peek('q.fifo')).toEqual([]);
    rmSync(join(disk, 'ballast'));
    await send('after');
    expect(warnings.at(-1)).toMatch(/are stored in .+ again/);
    await client.send(
      new SendMessageCommand({
        QueueUrl: fifo.QueueUrl,
        MessageBody: 'y',
        MessageGroupId: 'g',
        MessageDeduplicationId: 'd',
      }),
    );
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: held?.ReceiptHandle }));
    await sqs.close();
    const again = open(disk);
    expect(again.sqs.peek('q').map(({ body }) => body)).toEqual(bodies.slice(1));
    expect(again.sqs.peek('q.fifo').map(({ body }) => body)).toEqual(['y']);
  });

  it('undoes all changes of one transaction', async (test) => {
    const disk = smallDisk(await testFolder(), 1_000_000);
    if (disk === undefined) return test.skip('nothing may be mounted here');
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    const { sqs, client } = open(disk);
    const kept = await create(client, 'kept');
    const purged = await create(client, 'purged');
    await create(client, 'deleted');
    for (const QueueUrl of [kept, purged]) {
      for (const MessageBody of ['a', 'b', 'c']) {
        await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      }
    }
    const before = [sqs.peek('kept'), sqs.peek('purged')];
    // One transaction that is larger than the free space. Under fake timers all calls are of one
    // turn of the event loop.
    vi.useFakeTimers({ toFake: ['setTimeout'], shouldAdvanceTime: true });
    onTestFinished(() => void vi.useRealTimers());
    const outcomes = await Promise.allSettled([
      client.send(new ReceiveMessageCommand({ QueueUrl: kept, MaxNumberOfMessages: 2 })),
      client.send(new TagQueueCommand({ QueueUrl: kept, Tags: { tag: 'value' } })),
      client.send(new PurgeQueueCommand({ QueueUrl: purged })),
      client.send(new DeleteQueueCommand({ QueueUrl: kept.replace('kept', 'deleted') })),
      client.send(new CreateQueueCommand({ QueueName: 'made' })),
      client.send(new SendMessageCommand({ QueueUrl: kept, MessageBody: 'x'.repeat(1_000_000) })),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'));
    expect([sqs.peek('kept'), sqs.peek('purged')]).toEqual(before);
    const { QueueUrls } = await client.send(new ListQueuesCommand({}));
    expect(QueueUrls?.map((url) => url.split('/').at(-1))).toEqual(['deleted', 'kept', 'purged']);
    expect(await client.send(new ListQueueTagsCommand({ QueueUrl: kept }))).not.toHaveProperty(
      'Tags',
    );
    const { Messages } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: kept, MaxNumberOfMessages: 10 }),
    );
    expect(Messages?.map(({ Body }) => Body)).toEqual(['a', 'b', 'c']);
  });
});
