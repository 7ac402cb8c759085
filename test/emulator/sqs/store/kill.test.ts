// @module-tag more
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { DurableServer, isCut, testFolder } from './durable.ts';

const KILLS = 12;

/** A client's knowledge of a message that it has sent: acknowledgements and requests. */
interface Known {
  isSent: boolean;
  receives: number;
  handle: string | undefined;
  /** It must not be received before this time. */
  hiddenUntil: number;
  /** `asked` while the outcome is unknown. */
  deletion: 'none' | 'asked' | 'done';
}

/** Clients that use every action of a queue, and check that no acknowledged change is lost. */
class Clients {
  readonly known = new Map<string, Known>();
  readonly faults: string[] = [];
  client: SQSClient;
  readonly #queueUrl: string;
  #count = 0;
  #stopped = false;

  constructor(client: SQSClient, queueUrl: string) {
    this.client = client;
    this.#queueUrl = queueUrl;
  }

  /** Runs until the server has ended. */
  async work(): Promise<void> {
    this.#stopped = false;
    const one = async (step: () => Promise<unknown>) => {
      while (!this.#stopped) {
        try {
          await step();
        } catch (error) {
          if (!isCut(error)) this.faults.push(String(error));
          this.#stopped = true;
        }
      }
    };
    await Promise.all([
      one(() => this.#sendOne()),
      one(() => this.#sendTen()),
      one(() => this.#sendTen()),
      one(() => this.receive()),
      one(() => this.receive()),
      one(() => this.#sendDelayed()),
    ]);
  }

  /** Messages whose sending was acknowledged. */
  get sentCount(): number {
    return [...this.known.values()].filter(({ isSent }) => isSent).length;
  }

  #new(): string {
    const body = `message ${++this.#count}`;
    const known: Known = {
      isSent: false,
      receives: 0,
      handle: undefined,
      hiddenUntil: 0,
      deletion: 'none',
    };
    this.known.set(body, known);
    return body;
  }

  #sent(body: string, hiddenUntil = 0): void {
    const known = this.known.get(body);
    if (known) Object.assign(known, { isSent: true, hiddenUntil });
  }

  async #sendOne(): Promise<void> {
    const MessageBody = this.#new();
    await this.client.send(new SendMessageCommand({ QueueUrl: this.#queueUrl, MessageBody }));
    this.#sent(MessageBody);
  }

  async #sendTen(): Promise<void> {
    const bodies = Array.from({ length: 10 }, () => this.#new());
    const Entries = bodies.map((MessageBody, id) => ({ Id: String(id), MessageBody }));
    await this.client.send(new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries }));
    for (const body of bodies) this.#sent(body);
  }

  async #sendDelayed(): Promise<void> {
    const MessageBody = this.#new();
    const input = { QueueUrl: this.#queueUrl, MessageBody, DelaySeconds: 900 };
    const known = this.known.get(MessageBody);
    // It may exist even without an acknowledgement.
    if (known) known.hiddenUntil = Date.now() + 890_000;
    await this.client.send(new SendMessageCommand(input));
    this.#sent(MessageBody, Date.now() + 890_000);
    await sleep(5);
  }

  /** Receives some messages, deletes some of them, releases others, and keeps the rest hidden. */
  async receive(): Promise<number> {
    const { Messages = [] } = await this.client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#queueUrl,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 600,
        MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      }),
    );
    const at = Date.now();
    for (const { Body = '', Attributes, ReceiptHandle } of Messages) {
      const known = this.known.get(Body);
      const receives = Number(Attributes?.ApproximateReceiveCount);
      if (known === undefined) {
        this.faults.push(`${Body} was never sent`);
        continue;
      }
      if (known.deletion === 'done') this.faults.push(`${Body} is back after its deletion`);
      if (known.hiddenUntil > at) this.faults.push(`${Body} is to be hidden`);
      if (receives <= known.receives) this.faults.push(`${Body} was received ${receives} times`);
      Object.assign(known, { receives, handle: ReceiptHandle, hiddenUntil: at + 590_000 });
    }
    for (const [place, { Body = '' }] of Messages.entries()) {
      if (place % 3 === 0) await this.delete(Body);
      if (place % 3 === 1) await this.#show(Body);
    }
    return Messages.length;
  }

  async delete(body: string): Promise<void> {
    const known = this.known.get(body);
    if (known === undefined) return;
    known.deletion = 'asked';
    const input = { QueueUrl: this.#queueUrl, ReceiptHandle: known.handle };
    await this.client.send(new DeleteMessageCommand(input));
    known.deletion = 'done';
  }

  async #show(body: string): Promise<void> {
    const known = this.known.get(body);
    if (known === undefined) return;
    const input = { QueueUrl: this.#queueUrl, ReceiptHandle: known.handle, VisibilityTimeout: 0 };
    known.hiddenUntil = 0;
    await this.client.send(new ChangeMessageVisibilityCommand(input));
  }
}

it(`nothing that was acknowledged is lost when the server is killed, ${KILLS} times`, async () => {
  const folder = await testFolder();
  let server = await DurableServer.start(folder);
  const { QueueUrl = '' } = await server.client.send(new CreateQueueCommand({ QueueName: 'q' }));
  const clients = new Clients(server.client, QueueUrl);
  for (let kill = 0; kill < KILLS; kill++) {
    const work = clients.work();
    // Each server process handles some calls, however slow the machine is.
    const before = clients.sentCount;
    await expect
      .poll(() => clients.sentCount, { timeout: 30_000, interval: 2 })
      .toBeGreaterThan(before);
    await sleep(Math.random() * 300);
    await server.kill();
    await work;
    server = await DurableServer.start(folder);
    clients.client = server.client;
  }
  // Visible messages are received; hidden ones are deleted by a handle from before the restart.
  while ((await clients.receive()) > 0);
  const { known, faults } = clients;
  for (const [body, { handle, deletion }] of known) {
    if (handle !== undefined && deletion !== 'done') await clients.delete(body);
  }
  while ((await clients.receive()) > 0);
  expect(faults).toEqual([]);
  const all = [...known.values()];
  const left = await server.client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  );
  // Only delayed messages, acknowledged or not, and those of receives with a lost response are
  // left.
  const isDelayed = ({ hiddenUntil, handle }: Known) => handle === undefined && hiddenUntil > 0;
  const delayed = Number(left.Attributes?.ApproximateNumberOfMessagesDelayed);
  expect(delayed).toBeGreaterThanOrEqual(all.filter((one) => isDelayed(one) && one.isSent).length);
  expect(delayed).toBeLessThanOrEqual(all.filter(isDelayed).length);
  const missing = all.filter((one) => one.isSent && !isDelayed(one) && one.deletion === 'none');
  const inFlight = Number(left.Attributes?.ApproximateNumberOfMessagesNotVisible);
  expect(missing.length).toBeLessThanOrEqual(inFlight);
  expect(inFlight).toBeLessThanOrEqual(KILLS * 2 * 10);
  expect(clients.sentCount).toBeGreaterThan(KILLS);
}, 240_000);

it('a FIFO queue continues as if nothing had happened when its server is killed', async () => {
  const folder = await testFolder();
  let server = await DurableServer.start(folder);
  const { QueueUrl = '' } = await server.client.send(
    new CreateQueueCommand({ QueueName: 'q.fifo', Attributes: { FifoQueue: 'true' } }),
  );
  const groups = ['a', 'b', 'c'];
  const next = new Map(groups.map((group) => [group, 0]));
  const numbers = new Map<string, string | undefined>();
  const send = (group: string, place: number) =>
    server.client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: `${group} ${place}`,
        MessageGroupId: group,
        MessageDeduplicationId: `${group}-${place}`,
      }),
    );
  for (let kill = 0; kill < KILLS / 2; kill++) {
    const work = groups.map(async (group) => {
      try {
        for (;;) {
          const place = next.get(group) ?? 0;
          const { SequenceNumber } = await send(group, place);
          numbers.set(`${group} ${place}`, SequenceNumber);
          next.set(group, place + 1);
        }
      } catch (error) {
        if (!isCut(error)) throw error;
      }
    });
    await sleep(30 + Math.random() * 150);
    await server.kill();
    await Promise.all(work);
    server = await DurableServer.start(folder);
    // Acknowledged sends are acknowledged again; sends with a lost response may be repeated.
    for (const group of groups) {
      const last = (next.get(group) ?? 0) - 1;
      if (last < 0) continue;
      const again = await send(group, last);
      expect(again.SequenceNumber).toBe(numbers.get(`${group} ${last}`));
    }
  }
  const received = new Map(groups.map((group): [string, number[]] => [group, []]));
  for (;;) {
    const input = { QueueUrl, MaxNumberOfMessages: 10, ReceiveRequestAttemptId: 'one' };
    const { Messages = [] } = await server.client.send(new ReceiveMessageCommand(input));
    if (Messages.length === 0) break;
    await server.kill();
    server = await DurableServer.start(folder);
    // The same attempt returns the same messages, before and after a restart.
    const again = await server.client.send(new ReceiveMessageCommand(input));
    expect(again.Messages?.map(({ Body }) => Body)).toEqual(Messages.map(({ Body }) => Body));
    await drain(Messages);
    for (;;) {
      const rest = await server.client.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
      );
      if (!rest.Messages) break;
      await drain(rest.Messages);
    }
  }
  // Each message once, in order, and none missing.
  for (const group of groups) {
    const places = received.get(group) ?? [];
    expect(places).toEqual(places.map((_, place) => place));
    expect(places.length).toBeGreaterThanOrEqual(next.get(group) ?? 0);
    expect(places.length).toBeLessThanOrEqual((next.get(group) ?? 0) + 1);
  }

  async function drain(messages: Message[]) {
    for (const { Body = '', ReceiptHandle } of messages) {
      const [group = '', place] = Body.split(' ');
      received.get(group)?.push(Number(place));
      await server.client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
}, 240_000);
