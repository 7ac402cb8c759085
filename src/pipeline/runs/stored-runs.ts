import { inspect } from 'node:util';
import { serviceNow } from '../../clock.ts';
import { FanfoldError } from '../../errors.ts';
import { boundsOf, budgetOf, deadlineMs, onAbort } from '../collecting/run-options.ts';
import {
  type Continuing,
  folderOf,
  OWN_BUCKET,
  type S3Results,
} from '../messages/results-place.ts';
import type { SeedResponse } from '../messages/seed-response.ts';
import { createdAt, newRunId } from '../names.ts';
import type { Deployment } from '../run/deployment.ts';
import { endedRunsOf } from '../run/ended.ts';
import { RunLedger } from '../run/ledger.ts';
import { checkRunId, type RunStatus, statusOf, unknownRun } from '../run/status.ts';
import { InputsHash } from '../seeding/inputs-hash.ts';
import type { Inputs } from '../seeding/pages.ts';
import { S3Inputs } from '../seeding/s3-inputs.ts';
import { type RunBounds, seedS3Run } from '../seeding/seed-s3-run.ts';
import { Seeder } from '../seeding/seeder.ts';
import { Window } from '../seeding/window.ts';
import type { KeptResults } from '../storing/kept-results.ts';
import type { StoredOptions } from './stored-options.ts';
import { type Begun, type StoreClients, StoredRun } from './stored-run.ts';

/**
 * Begins a run whose results are stored.
 *
 * @throws FanfoldError `BadOption` and `BadInput` for wrong options
 */
export function beginStored<Output>(
  deployment: Deployment,
  clients: StoreClients,
  task: string,
  inputs: Inputs<unknown> | S3Inputs,
  options: StoredOptions,
): StoredRun<Output> {
  const { output, signal, resume, ...plain } = options;
  const { maxFailures, ordered } = plain;
  const results = resultsOf({ output, ordered, resume });
  budgetOf(plain);
  const now = serviceNow(deployment.sqs);
  const runId = newRunId(now);
  const expiresAt = (createdAt(runId) ?? now) + deadlineMs(plain);
  const bounds: RunBounds = { ...boundsOf(plain, deployment), results, maxFailures };
  const about = { ...deployment, runId, task, expiresAt, bounds };
  const begun = Promise.withResolvers<Begun>();
  const take = ({ output = '', resultQueueUrl: queueUrl }: SeedResponse) =>
    begun.resolve({ output, queueUrl });
  const parts = { deployment, clients, runId, expiresAt, ordered, bounds, begun: begun.promise };
  let run: StoredRun<Output>;
  if (inputs instanceof S3Inputs) {
    seedS3Run(inputs, about).then(take, begun.reject);
    run = new StoredRun(parts);
  } else {
    // A ledger of its own: the results of an earlier run may be continued twice.
    const ledger = resume ? RunLedger.restored(resume.ledger.save()) : new RunLedger();
    ledger.close();
    const window = new Window(undefined);
    const hash = new InputsHash(markOfCaller(resume));
    const seeder = new Seeder({ ...about, inputs, ledger, window, hash, onBegun: take });
    // It has no effect if the first page was answered.
    const notBegun = () => begun.reject(new FanfoldError('Closed', `Run ${runId} did not begin.`));
    seeder.done.then(notBegun, begun.reject);
    run = new StoredRun({ ...parts, seeding: { seeder, ledger, hash } });
  }
  if (signal) onAbort(signal, run.ended, (reason) => run.fail(reason));
  return run;
}

/**
 * Finds a stored run that was begun elsewhere.
 *
 * @param named its id; or its folder, which is necessary a day after its end
 * @throws FanfoldError `UnknownRun`; `BadOption` when its results are not stored
 */
export async function findStored<Output>(
  deployment: Deployment,
  clients: StoreClients,
  named: string,
  { ordered }: { ordered?: boolean | undefined } = {},
): Promise<StoredRun<Output>> {
  if (typeof named !== 'string') {
    throw new FanfoldError(
      'BadOption',
      `A stored run must be named by its id, or by its folder, "s3://bucket/prefix/RUN/"; got ${shownOf(named)}.`,
    );
  }
  const isFolder = named.startsWith('s3://');
  const runId = isFolder ? (folderOf(named).prefix.split('/').at(-2) ?? '') : named;
  checkRunId(runId);
  const status = await statusOf(deployment, runId);
  const output = isFolder ? named : await outputOf(deployment, runId, status);
  const begun = Promise.resolve({ output });
  const expiresAt = status?.expiresAt ?? 0;
  const found = { status };
  return new StoredRun({ deployment, clients, runId, expiresAt, ordered, begun, found });
}

async function outputOf(
  deployment: Deployment,
  runId: string,
  status: RunStatus | undefined,
): Promise<string> {
  const run = status ?? (await endedRunsOf(deployment))?.find((one) => one.runId === runId);
  if (run?.output !== undefined) return run.output;
  const { name } = deployment.names;
  if (run === undefined) {
    const unknown = unknownRun(runId, name);
    throw new FanfoldError(
      unknown.code,
      `${unknown.message} If it ended over a day ago, name the folder of its results in place of its id: s3://BUCKET/PREFIX/${runId}/`,
    );
  }
  throw new FanfoldError(
    'BadOption',
    `The results of run ${runId} are not stored in S3: the command or program that collects it has them.`,
  );
}

/**
 * The mark of the inputs of an earlier run, which its caller read.
 *
 * @throws FanfoldError `BadOption` when its inputs were read from S3
 */
function markOfCaller(resume: KeptResults | undefined) {
  const mark = resume?.run.ended?.inputs;
  if (mark === undefined || 'read' in mark) return mark;
  throw new FanfoldError(
    'BadOption',
    `Run ${resume?.run.options.runId} read its inputs from S3: continue it with that object.`,
  );
}

/** A wrong value in one line. */
function shownOf(value: unknown): string {
  return inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY }).slice(0, 100);
}

/** @throws FanfoldError `BadOption` for what is neither a place nor an object with one */
function checkOutput(output: unknown): void {
  const place = typeof output === 'string' ? output : Object(output).s3;
  if (typeof place === 'string' && !Array.isArray(output)) return;
  throw new FanfoldError(
    'BadOption',
    `\`output\` must be "s3://bucket/prefix/", or "s3" for the stack's own bucket, or an object such as { s3: "s3://bucket/prefix/", format: "csv" }; got ${shownOf(output)}.`,
  );
}

/** @throws FanfoldError `BadInput` for a wrong place, `BadOption` for what is none */
function resultsOf({
  output,
  ordered,
  resume,
}: Pick<StoredOptions, 'output'> & {
  ordered: boolean | undefined;
  resume: KeptResults | undefined;
}): 's3' | (S3Results & Continuing) {
  checkOutput(output);
  const plain = typeof output === 'string' ? { s3: output } : { ...output };
  const continuing = resume && { continues: resume.folder, retryFailed: resume.retryFailed };
  const given: S3Results & Continuing = { ...plain, ...continuing };
  if (given.s3 === 's3') given.s3 = OWN_BUCKET;
  if (given.s3 !== OWN_BUCKET) folderOf(given.s3);
  if (ordered) given.ordered = true;
  const isPlain = given.s3 === OWN_BUCKET && Object.keys(given).length === 1;
  return isPlain ? 's3' : given;
}
