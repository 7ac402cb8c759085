import { ListQueueTagsCommand, type SQSClient, TagQueueCommand } from '@aws-sdk/client-sqs';
import { type Cost, costOf } from '../../planning/cost.ts';
import { readUsage, usageText } from '../../planning/usage.ts';
import { type CostLimit, costLimitText, readCostLimit } from '../messages/cost-limit.ts';
import { type FailingText, isFailing, type Outage } from '../messages/failing.ts';
import { type Flow, isFlow } from '../messages/flow.ts';
import { type InputsMark, markOf, markText } from '../messages/inputs-mark.ts';
import type { RateText } from '../messages/rate.ts';
import { MAX_RUN_INPUTS } from '../messages/result.ts';

/**
 * The public state of a run, as tags of its queue. The seed function writes the first group when it
 * creates the queue, and seals the run. The collector writes the second group. Anyone with
 * permission to tag the queue can write them, so an impossible value is read as missing.
 */
export interface RunTags {
  task?: string | undefined;
  /** `sealed` once all inputs are seeded, and `total` is final. */
  state?: 'seeding' | 'sealed' | undefined;
  /** Deadline of the run, in milliseconds since 1970. */
  expiresAt?: number | undefined;
  /** The share of inputs that must fail, within a time, for the run to pause itself. */
  pauseWhenFailing?: FailingText | undefined;
  /** What the run may cost; `none` if the limit was removed. */
  costLimit?: CostLimit | 'none' | undefined;
  /** Number of inputs of the run. */
  total?: number | undefined;
  /** Largest number of inputs that the run can have, while `total` is not known. */
  bound?: number | undefined;
  /** The folder in S3 where the collector function stores the results. */
  output?: string | undefined;
  /** Mark of the inputs that were read so far, of a run whose results are stored. */
  inputs?: InputsMark | undefined;

  /** Bounds that were set while the run was going on; `none` if they were removed. */
  flow?: Flow | 'none' | undefined;
  /** When the run was paused, in milliseconds since 1970; 0 if it goes on. */
  pausedAt?: number | undefined;
  /** Why the run has paused itself; `none` once it goes on. */
  outage?: Outage | 'none' | undefined;
  /**
   * Inputs that kill workers, and have their results: the latest. Workers drop their messages, behind
   * which others of a lane wait.
   */
  condemned?: readonly number[] | undefined;
  /** Milliseconds after which an input is run a second time, once few are left. */
  hedgeMs?: number | undefined;
  /** Number of times that such inputs were to be sent to other lanes, beyond the first. */
  hedgeRound?: number | undefined;

  /** Name of the collector. */
  collector?: string | undefined;
  /** The collector's last heartbeat, in milliseconds since 1970; 0 once it has left. */
  collectedAt?: number | undefined;
  ok?: number | undefined;
  failed?: number | undefined;
  /** What the run has cost so far. Its tag has what was counted. */
  cost?: Cost | undefined;
  /** Results that were consumed, and whose messages are deleted or about to be. */
  taken?: number | undefined;
}

/** AWS allows 30 such calls a second per account. */
export async function readTags(sqs: SQSClient, QueueUrl: string): Promise<RunTags> {
  const { Tags = {} } = await sqs.send(new ListQueueTagsCommand({ QueueUrl }));
  const { task, state, output, collector } = Tags;
  return {
    task,
    state: state === 'seeding' || state === 'sealed' ? state : undefined,
    expiresAt: timeOf(Tags.expiresAt),
    pauseWhenFailing: failingOf(Tags.pauseWhenFailing),
    costLimit: Tags.costLimit === 'none' ? 'none' : readCostLimit(Tags.costLimit),
    total: countOf(Tags.total),
    bound: countOf(Tags.bound),
    output,
    inputs: markOf(Tags.inputs),
    flow: flowOfText(Tags.flow),
    pausedAt: timeOf(Tags.pausedAt),
    outage: outageOf(Tags.outage),
    condemned: indexesOf(Tags.condemned),
    hedgeMs: timeOf(Tags.hedgeMs),
    hedgeRound: countOf(Tags.hedgeRound),
    collector,
    collectedAt: timeOf(Tags.collectedAt),
    ok: countOf(Tags.ok),
    failed: countOf(Tags.failed),
    taken: countOf(Tags.taken),
    cost: costOfText(Tags.cost),
  };
}

/** Whether a call reads the tags of a run. */
export function readsTags({ command }: { command: string }): boolean {
  return command === 'ListQueueTagsCommand';
}

/** Writes the given tags, and leaves the others as they are. */
export async function writeTags(sqs: SQSClient, QueueUrl: string, tags: RunTags): Promise<void> {
  await sqs.send(new TagQueueCommand({ QueueUrl, Tags: tagTexts(tags) }));
}

/** Tags in SQS's form. */
export function tagTexts(tags: RunTags): Record<string, string> {
  const given = Object.entries(tags).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, textOf(value)]));
}

function costOfText(tag: string | undefined): Cost | undefined {
  const counted = readUsage(tag);
  return counted && costOf(counted.region, counted.usage);
}

function textOf(
  value: string | number | readonly number[] | Flow | Outage | InputsMark | Cost | CostLimit,
): string {
  // AWS allows letters, digits, spaces and _ . : / = + - @ in a tag.
  if (isIndexes(value)) return value.join(' ');
  if (typeof value === 'string') return isFailing(value) ? value.replace('%', '') : value;
  if (typeof value === 'object' && 'reason' in value) return outageText(value);
  if (typeof value === 'object' && 'pauses' in value) return costLimitText(value);
  if (typeof value === 'object' && 'counted' in value)
    return usageText(value.region, value.counted);
  if (typeof value === 'number') return value.toFixed();
  return 'etag' in value || 'read' in value ? markText(value) : flowText(value);
}

/** A flow as text that AWS allows in a tag, such as `lanes=4 concurrency=8 rate=100/s`. */
function flowText(flow: Flow): string {
  return Object.entries(flow)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function flowOfText(tag: string | undefined): Flow | 'none' | undefined {
  if (tag === undefined || tag === 'none') return tag;
  const { lanes, width, concurrency, rate, since } = Object.fromEntries(
    tag.split(' ').map((part) => part.split('=') as [string, string]),
  );
  const flow = {
    lanes: Number(lanes),
    width: numberOf(width),
    concurrency: numberOf(concurrency),
    rate: rate as RateText | undefined,
    since: numberOf(since),
  };
  return isFlow(flow) ? flow : undefined;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Bytes of an outage's reason that fit into a tag of 256 characters, with the rest. */
const REASON_BYTES = 160;

function outageText({ since, reason }: Outage): string {
  const bytes = Buffer.from(reason).subarray(0, REASON_BYTES);
  return `since=${since} reason=${bytes.toString('base64url')}`;
}

function outageOf(tag: string | undefined): Outage | 'none' | undefined {
  if (tag === undefined || tag === 'none') return tag;
  const [, since, reason = ''] = /^since=(\d{1,15}) reason=([\w-]*)$/.exec(tag) ?? [];
  if (since === undefined) return undefined;
  // The cut may be within a character.
  const text = Buffer.from(reason, 'base64url')
    .toString()
    .replace(/\uFFFD+$/, '');
  return { since: Number(since), reason: text };
}

/** A limit without its percent sign, which AWS does not allow in a tag. */
function failingOf(tag: string | undefined): FailingText | undefined {
  const text = tag?.replace('/', '%/');
  return isFailing(text) ? text : undefined;
}

/** Indexes, of which a tag of 256 characters holds this many. */
export const TAG_INDEXES = 23;

function isIndexes(value: unknown): value is readonly number[] {
  return Array.isArray(value);
}

function indexesOf(tag: string | undefined): number[] | undefined {
  return tag?.split(' ').flatMap((text) => countOf(text) ?? []);
}

function countOf(tag: string | undefined): number | undefined {
  const count = timeOf(tag);
  return count !== undefined && count <= MAX_RUN_INPUTS ? count : undefined;
}

function timeOf(tag: string | undefined): number | undefined {
  return tag !== undefined && /^\d{1,15}$/.test(tag) ? Number(tag) : undefined;
}

/** The tag of a deployment's task queue that names the bucket for large inputs and outputs. */
const BUCKET_TAG = 'fanfold-bucket';

/** The deployment's bucket; undefined if it has none, as those of earlier versions. */
export async function readBucket(
  sqs: SQSClient,
  taskQueueUrl: string,
): Promise<string | undefined> {
  const { Tags = {} } = await sqs.send(new ListQueueTagsCommand({ QueueUrl: taskQueueUrl }));
  return Tags[BUCKET_TAG];
}

export async function writeBucket(
  sqs: SQSClient,
  taskQueueUrl: string,
  bucket: string,
): Promise<void> {
  const Tags = { [BUCKET_TAG]: bucket };
  await sqs.send(new TagQueueCommand({ QueueUrl: taskQueueUrl, Tags }));
}
