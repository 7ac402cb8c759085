import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  QueueDoesNotExist,
  SQSClient,
  type SQSClientConfig,
} from '@aws-sdk/client-sqs';
import { AwsQueryProtocol } from '@aws-sdk/core/protocols';
import { afterAll, afterEach, beforeAll, beforeEach, describe, vi } from 'vitest';
import {
  createSqsClient,
  openStore,
  Sqs,
  type SqsServer,
  serveSqs,
} from '../../src/emulator/sqs/index.ts';
import { PLAIN_SQS } from '../../src/endpoint/plain-sdk.ts';
import { TestQueue } from './test-queue.ts';

/** If set in the environment, the contract also runs on AWS, in the environment's account. */
const ON_AWS = process.env.FANFOLD_CONTRACT_AWS === '1';

/** An SQS, and one way to call it. */
export abstract class World {
  readonly name: string;
  readonly isLocal: boolean;
  readonly #made: string[] = [];
  #client: SQSClient | undefined;

  constructor(name: string, isLocal: boolean) {
    this.name = name;
    this.isLocal = isLocal;
  }

  protected abstract connect(): Promise<SQSClient>;
  /** Lets time pass. */
  abstract advance(seconds: number): Promise<void>;
  /** Resolves when earlier requests, such as a waiting receive, have arrived. */
  abstract arrived(): Promise<void>;
  /** The SQS itself, for inspection; local only. */
  abstract get sqs(): Sqs;

  async open(): Promise<void> {
    this.#client = await this.connect();
  }

  async close(): Promise<void> {
    if (!this.isLocal) {
      for (const QueueUrl of this.#made) {
        await this.client.send(new DeleteQueueCommand({ QueueUrl })).catch((error: unknown) => {
          // A test may have deleted it already.
          if (!(error instanceof QueueDoesNotExist)) throw error;
        });
      }
    }
    this.#client?.destroy();
  }

  /** In process no timers run but those of the SQS: clients over HTTP have some of their own. */
  get isInProcess(): boolean {
    return this instanceof InProcess;
  }

  get client(): SQSClient {
    if (this.#client === undefined) throw new Error(`The world "${this.name}" is not open.`);
    return this.#client;
  }

  /** A queue of its own for each test. */
  async queue(
    Attributes: Record<string, string> = {},
    tags?: Record<string, string>,
  ): Promise<TestQueue> {
    const name = uniqueName(Attributes.FifoQueue === 'true' ? '.fifo' : '');
    const { QueueUrl = '' } = await this.client.send(
      new CreateQueueCommand({ QueueName: name, Attributes, ...(tags && { tags }) }),
    );
    this.#made.push(QueueUrl);
    return new TestQueue(this, QueueUrl, name);
  }

  fifo(Attributes: Record<string, string> = {}): Promise<TestQueue> {
    return this.queue({ FifoQueue: 'true', ContentBasedDeduplication: 'true', ...Attributes });
  }
}

export function uniqueName(ending = ''): string {
  return `contract-${randomBytes(6).toString('hex')}${ending}`;
}

class InProcess extends World {
  readonly sqs = new Sqs();
  readonly #config: SQSClientConfig;

  constructor(name: string, config: SQSClientConfig = {}) {
    super(name, true);
    this.#config = config;
  }

  async connect() {
    return createSqsClient(this.sqs, this.#config);
  }

  async advance(seconds: number) {
    await vi.advanceTimersByTimeAsync(seconds * 1000);
  }

  arrived() {
    return this.advance(0);
  }
}

class OverHttp extends World {
  readonly #config: SQSClientConfig;
  #server: SqsServer | undefined;

  constructor(name: string, config: SQSClientConfig = {}) {
    super(name, true);
    this.#config = config;
  }

  get sqs() {
    if (this.#server === undefined) throw new Error(`The world "${this.name}" is not open.`);
    return this.#server.sqs;
  }

  protected async serve(): Promise<SqsServer> {
    return serveSqs();
  }

  async connect() {
    this.#server = await this.serve();
    return new SQSClient({
      region: 'us-east-1',
      endpoint: this.#server.url,
      credentials: { accessKeyId: 'contract', secretAccessKey: 'secret' },
      maxAttempts: 1,
      // By default fifty receives wait at a time, and others wait for them.
      requestHandler: { httpAgent: { maxSockets: 2000 } },
      ...this.#config,
    });
  }

  override async close() {
    await super.close();
    await this.#server?.close();
  }

  async advance(seconds: number) {
    await vi.advanceTimersByTimeAsync(seconds * 1000);
  }

  /** One process reads requests in order: after two round trips an earlier one has arrived. */
  async arrived() {
    for (let trip = 0; trip < 2; trip++) await fetch(this.#server?.url ?? '', { method: 'POST' });
  }
}

/** Acknowledged changes are on disk: everything else is as in memory. */
class Durable extends OverHttp {
  #folder = '';

  protected override async serve() {
    this.#folder = await mkdtemp(join(tmpdir(), 'fanfold-contract-'));
    return serveSqs({ sqs: new Sqs({ store: openStore(this.#folder) }) });
  }

  override async close() {
    await super.close();
    await rm(this.#folder, { recursive: true });
  }
}

class Aws extends World {
  constructor() {
    super('AWS', false);
  }

  get sqs(): Sqs {
    throw new Error('Nobody can look into AWS: mark the test with `it.runIf(world.isLocal)`.');
  }

  async connect() {
    return new SQSClient();
  }

  async advance(seconds: number) {
    await sleep(seconds * 1000);
  }

  async arrived() {
    await sleep(1000);
  }
}

const WORLDS: World[] = [
  new InProcess('in process'),
  new OverHttp('over HTTP, JSON'),
  new OverHttp('over HTTP, Query', { protocol: AwsQueryProtocol }),
  new InProcess('in process, CBOR', PLAIN_SQS),
  new Durable('durable, over HTTP'),
  ...(ON_AWS ? [new Aws()] : []),
];

/**
 * One contract, in every world. Local worlds have a clock that moves only on demand; on AWS time
 * passes. Tests that only a local world can run, or that take too long, use `it.runIf(world.isLocal)`.
 */
export function inEveryWorld(heading: string, define: (world: World) => void): void {
  describe.each(WORLDS.map((world) => [world.name, world] as const))(
    `${heading}, %s`,
    (_, world) => {
      beforeAll(() => world.open());
      afterAll(() => world.close());
      if (world.isLocal) {
        beforeEach(() => {
          vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
        });
        afterEach(() => {
          vi.useRealTimers();
        });
      }
      define(world);
    },
  );
}
