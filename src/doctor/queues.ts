import type { AwsReader } from './aws.ts';
import { type Check, type Finding, ok, problem, warning } from './finding.ts';
import { eventSourceOf } from './functions.ts';
import type { AccountSubject } from './subject.ts';

type Attributes = Partial<Record<string, string>>;

/** Checks that the parts of a deployment exist. Burst workers and the list of ended runs are optional. */
export const parts: Check<AccountSubject> = {
  title: 'parts',
  async run({ reader }) {
    const { names } = reader;
    const [queues, functions] = await Promise.all([
      Promise.all(
        [names.tasks, names.dead, names.results].map(isThere(reader.queueUrl.bind(reader))),
      ),
      Promise.all([names.seed, names.worker].map(isThere(reader.configuration.bind(reader)))),
    ]);
    const missing = [...queues, ...functions].flatMap(({ name, there }) => (there ? [] : [name]));
    if (missing.length === 0) {
      const all = 'All queues and functions of the deployment exist';
      // Policies of an earlier version do not allow this look.
      const ended = await reader.queueUrl(names.ended).catch(() => undefined);
      return ok(
        ended === undefined
          ? `${all}, except ${names.ended}, which lists ended runs for a day: deploy this version of Fanfold to get it.`
          : `${all}.`,
      );
    }
    return problem(
      `The deployment lacks ${missing.join(', ')}.`,
      `A stack cannot recreate what was deleted by hand: run cdk destroy, then cdk deploy. If other software uses these names, deploy with another name.`,
    );
  },
};

function isThere(find: (name: string) => Promise<unknown>) {
  return async (name: string) => ({ name, there: (await find(name)) !== undefined });
}

export const visibility: Check<AccountSubject> = {
  title: 'visibility',
  run: ({ reader }) => visibilityOf(reader, reader.names.tasks),
};

/** Checks that a queue hides chunks for longer than the worker function may run. */
async function visibilityOf(reader: AwsReader, queue: string): Promise<Finding> {
  const [{ VisibilityTimeout }, configuration] = await Promise.all([
    reader.attributes(queue),
    reader.configuration(reader.names.worker),
  ]);
  const hidden = Number(VisibilityTimeout);
  const { Timeout: longest = 0 } = configuration ?? {};
  const says = `SQS hides a received chunk for ${hidden} s, and a worker may run for ${longest} s.`;
  if (hidden > longest) return ok(says);
  return problem(
    `${says} SQS could deliver the chunk to a second worker meanwhile.`,
    'Deploy again: the stack sets the visibility timeout to the function timeout plus a minute.',
  );
}

export const deadLetters: Check<AccountSubject> = {
  title: 'dead letters',
  async run({ reader }) {
    const { name, dead } = reader.names;
    const count = countOf(await reader.attributes(dead), '');
    if (count === 0) return ok('The dead-letter queue is empty.');
    return warning(
      `Task messages in the dead-letter queue: about ${count}. No worker could read them, or they were received too often.`,
      `Find the cause in the worker's log, correct it, then run: fanfold redrive --stack ${name}`,
    );
  },
};

export const taskQueue: Check<AccountSubject> = {
  title: 'task queue',
  run: ({ reader }) => waitingOn(reader, reader.names.tasks),
};

/** Checks that chunks on a queue are received. */
async function waitingOn(reader: AwsReader, queue: string): Promise<Finding> {
  const attributes = await reader.attributes(queue);
  const waiting = countOf(attributes, '');
  const inFlight = countOf(attributes, 'NotVisible');
  const says = `Chunks waiting: about ${waiting}; in progress: about ${inFlight}.`;
  if (waiting === 0 || inFlight > 0) return ok(says);
  return warning(
    `${says} Workers may not start.`,
    `If this does not change within minutes, read the worker's log: aws logs tail /aws/lambda/${reader.names.worker}`,
  );
}

/** Checks the queue for chunks of runs with bounds, and its event source. */
export const lanes: Check<AccountSubject> = {
  title: 'lanes',
  async run({ reader }) {
    const queue = reader.names.lanes;
    if ((await reader.queueUrl(queue)) === undefined) {
      return warning(
        `The deployment has no queue ${queue}, which limits the concurrency and the rate of runs: its version is older, and runs without limits are not affected.`,
        'Wait until no run is left, then deploy again. If the queue was deleted by hand, run cdk destroy before.',
      );
    }
    const checks = [visibilityOf, waitingOn, eventSourceOf].map((check) => check(reader, queue));
    const findings = (await Promise.all(checks)).flat();
    const others = findings.filter(({ level }) => level !== 'ok');
    if (others.length > 0) return others;
    return ok(`For runs with limits: ${findings.map(({ says }) => says).join(' ')}`);
  },
};

function countOf(attributes: Attributes, kind: string): number {
  return Number(attributes[`ApproximateNumberOfMessages${kind}`] ?? 0);
}

/** Each collector tags its run's queue every 30 s, and AWS allows 30 tag calls a second. */
const MANY_RUNS = 900;

export const runs: Check<AccountSubject> = {
  title: 'runs',
  async run({ reader }) {
    const { name } = reader.names;
    const count = await reader.runs();
    if (count < MANY_RUNS) return ok(`Runs that are not over: ${count}.`);
    return warning(
      `Runs that are not over: ${count < 1000 ? count : '1,000 or more'}. SQS allows 30 tag calls a second, enough to collect about ${MANY_RUNS} runs at once.`,
      `Delete the queues of runs that have ended: fanfold runs --prune --stack ${name}`,
    );
  },
};
