import {
  ChangeMessageVisibilityBatchCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { repriced } from '../../planning/cost.ts';
import { backoffMs, wait } from '../../retry.ts';
import { isDenied } from '../call-errors.ts';
import { endedBody, type RunOutcome, readEnded } from '../messages/ended.ts';
import { createdAt } from '../names.ts';
import { siblingUrl } from '../queue-urls.ts';
import { countOf } from './backlog.ts';
import type { Deployment } from './deployment.ts';
import type { RunLedger } from './ledger.ts';
import { deleteQueue, findQueue } from './queues.ts';
import type { RunBill } from './run-bill.ts';
import type { RunStatus } from './status.ts';

/** A run that ended in the last day. All times are by SQS's clock, in milliseconds since 1970. */
export interface EndedRun extends RunOutcome {
  createdAt: number;
  endedAt: number;
  /** Time of this reading. */
  readAt: number;
}

/** Longest time to list a run as ended, in milliseconds: its end does not depend on it. */
const SEND_MS = 5_000;

/**
 * Lists a run as ended, for the day that its deployment's queue keeps messages. A failure is
 * ignored: a deployment of an earlier version has no such queue, or grants no access to it.
 *
 * @param queueUrl the URL of the run's own queue
 */
export async function listEnded(
  { sqs, names }: Pick<Deployment, 'sqs' | 'names'>,
  queueUrl: string,
  outcome: RunOutcome,
): Promise<void> {
  const QueueUrl = siblingUrl(queueUrl, names.ended);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), SEND_MS);
  await sqs
    .send(new SendMessageCommand({ QueueUrl, MessageBody: endedBody(outcome) }), {
      abortSignal: limit.signal,
    })
    .catch(() => {});
  clearTimeout(timer);
}

/** Lists a run as ended, then deletes its queue, so that it is always listed as one or the other. */
export async function endRun(
  deployment: Pick<Deployment, 'sqs' | 'names'>,
  queueUrl: string,
  outcome: RunOutcome,
): Promise<void> {
  await listEnded(deployment, queueUrl, outcome);
  await deleteQueue(deployment.sqs, queueUrl);
}

/** A run, its task and its collector. */
export interface RunFacts {
  runId: string;
  task: string;
  collector: string;
  /** What it has used. @default nothing is billed */
  bill?: RunBill | undefined;
}

/** The outcome of a run whose ledger is final. @param cause reason why it ended early, if it did */
export function outcomeOf(
  { bill, ...about }: RunFacts,
  ledger: RunLedger,
  cause?: string,
): RunOutcome {
  const { inputs: total, ok, failed, cancelled, elsewhere } = ledger;
  return { ...about, total, ok, failed, cancelled, elsewhere, cause, cost: bill?.cost };
}

/** The outcome of a run that ends without a collector: uncollected results are lost. */
export function outcomeOfStatus(status: RunStatus, cause: string | undefined): RunOutcome {
  const { runId, task, total, ok, failed, output } = status;
  const cancelled = total === undefined ? 0 : Math.max(0, total - ok - failed);
  const counts = { total, ok, failed, cancelled, elsewhere: 0 };
  return { runId, task, ...counts, cause, collector: undefined, output };
}

/**
 * The runs of a deployment that ended in the last day, oldest first; undefined if it keeps no list
 * of them, or allows no access to it.
 */
export async function endedRunsOf({
  sqs,
  names,
  countsLate = false,
  prices,
}: Pick<Deployment, 'sqs' | 'names' | 'countsLate' | 'prices'>): Promise<EndedRun[] | undefined> {
  let messages: Iterable<Message>;
  try {
    const queueUrl = await findQueue(sqs, names.ended);
    if (queueUrl === undefined) return undefined;
    messages = await readAll(sqs, queueUrl, countsLate);
  } catch (error) {
    if (isDenied(error)) return undefined;
    throw error;
  }
  const readAt = serviceNow(sqs);
  const byId = new Map<string, EndedRun>();
  for (const { Body = '', Attributes } of messages) {
    const outcome = readEnded(Body);
    if (outcome === undefined) continue;
    const { runId } = outcome;
    const endedAt = Number(Attributes?.SentTimestamp ?? readAt);
    const run = {
      ...repriced(outcome, { prices }),
      createdAt: createdAt(runId) ?? 0,
      endedAt,
      readAt,
    };
    const known = byId.get(runId);
    if (known === undefined || isBetter(run, known)) byId.set(runId, run);
  }
  return Array.from(byId.values()).sort((one, other) => (one.runId < other.runId ? -1 : 1));
}

/**
 * Whether a message about a run's end replaces another one. A run may be ended twice, such as by
 * `cancel` and by a collector that it took for dead: the one that has more results knows better.
 */
function isBetter(run: EndedRun, known: EndedRun): boolean {
  const more = resultsOf(run) - resultsOf(known);
  return more > 0 || (more === 0 && run.endedAt < known.endedAt);
}

function resultsOf({ ok, failed, elsewhere }: RunOutcome): number {
  return ok + failed + elsewhere;
}

/** Receives at a time, and the number of messages that they surely receive in a second. */
const PARALLEL = 5;
const MESSAGES_A_SECOND = 500;

const BATCH = 10;

/** Shortest time for which messages are hidden from others, in seconds. */
const HIDDEN_SECONDS = 2;

/** Time limit to wait for messages that others are reading, as a multiple of that. */
const READERS = 4;

/** Pauses between passes, so that readers who began together do not read together again. */
const PASSES = { baseMs: 250, capMs: 2_000 };

/**
 * Reads all messages of a queue, and leaves them there. Reading hides a message from others, so
 * each pass makes its messages visible again at its end; after a reader that was killed, SQS does so
 * soon. Another pass follows until as many messages were seen as SQS counts.
 */
async function readAll(
  sqs: SQSClient,
  QueueUrl: string,
  countsLate: boolean,
): Promise<Iterable<Message>> {
  const total = async () => {
    const { waiting, delayed, inFlight } = await countOf(sqs, QueueUrl);
    return waiting + delayed + inFlight;
  };
  const expected = await total();
  const hiddenSeconds = HIDDEN_SECONDS + Math.ceil(expected / MESSAGES_A_SECOND);
  const until = performance.now() + READERS * hiddenSeconds * 1000;
  const parallel = Math.min(PARALLEL, 1 + Math.floor(expected / BATCH));
  const seen = new Map<string | undefined, Message>();
  const receive = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: BATCH,
    MessageSystemAttributeNames: ['SentTimestamp'],
    VisibilityTimeout: hiddenSeconds,
    // A long poll asks all of SQS's servers. An exact SQS needs none.
    WaitTimeSeconds: countsLate ? 1 : 0,
  });
  for (let pass = 1; ; pass++) {
    const received: Message[][] = [];
    const receiver = async () => {
      for (;;) {
        const { Messages = [] } = await sqs.send(receive);
        if (Messages.length > 0) received.push(Messages);
        const fresh = Messages.filter(({ MessageId }) => !seen.has(MessageId));
        for (const message of fresh) seen.set(message.MessageId, message);
        if (fresh.length === 0 || performance.now() > until) return;
      }
    };
    await Promise.all(Array.from({ length: parallel }, receiver));
    const batches = received.values();
    const releaser = async () => {
      for (const batch of batches) await release(sqs, QueueUrl, batch);
    };
    await Promise.all(Array.from({ length: parallel }, releaser));
    if (performance.now() > until || seen.size >= (await total())) return seen.values();
    await wait(backoffMs(pass, PASSES));
  }
}

/** Makes received messages visible again. A failure is ignored: they become so by themselves. */
async function release(sqs: SQSClient, QueueUrl: string, messages: Message[]): Promise<void> {
  const Entries = messages.map(({ ReceiptHandle }, id) => ({
    ...{ Id: String(id), ReceiptHandle, VisibilityTimeout: 0 },
  }));
  await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries })).catch(() => {});
}
