import { hasRecursiveLoop, recursionSupport } from './account.ts';
import type { AwsReader } from './aws.ts';
import { type Check, type Finding, ok, problem, warning } from './finding.ts';
import type { AccountSubject } from './subject.ts';

/** The configurations of those of the deployment's functions that exist. */
async function configurations(reader: AwsReader) {
  const { seed, worker, burst, collector } = reader.names;
  const all = await Promise.all(
    [seed, worker, burst, collector].map(async (name) => ({
      name,
      of: await reader.configuration(name),
    })),
  );
  return all.flatMap(({ name, of }) => (of === undefined ? [] : [{ name, of }]));
}

/** Checks that functions can run: a KMS key or a role may have been deleted, for example. */
export const functions: Check<AccountSubject> = {
  title: 'functions',
  async run({ reader }) {
    const findings: Finding[] = [];
    const all = await configurations(reader);
    for (const { name, of } of all) {
      const { State = 'Active', StateReason, LastUpdateStatus = 'Successful' } = of;
      if (State === 'Pending' || LastUpdateStatus === 'InProgress') {
        findings.push(warning(`${name} is being deployed.`, 'Run doctor again in a minute.'));
      } else if (State !== 'Active' || LastUpdateStatus === 'Failed') {
        const why = StateReason ?? of.LastUpdateStatusReason ?? 'AWS gives no reason';
        findings.push(
          problem(`${name} cannot run: ${why}`, 'Correct the cause, and deploy again.'),
        );
      }
    }
    const names = all.map(({ name }) => name).join(', ');
    return findings.length > 0 ? findings : ok(`${names || 'None'} can be invoked.`);
  },
};

export const eventSource: Check<AccountSubject> = {
  title: 'event source',
  run: ({ reader }) => eventSourceOf(reader, reader.names.tasks),
};

/** Checks the worker function's event source for a queue. */
export async function eventSourceOf(reader: AwsReader, queue: string): Promise<Finding[]> {
  const { worker } = reader.names;
  const source = await reader.eventSource(queue);
  if (source === undefined) {
    return [
      problem(
        `No event source delivers chunks from ${queue} to ${worker}: only burst workers receive them.`,
        'Deploy again.',
      ),
    ];
  }
  const { State = '', UUID, ScalingConfig, FunctionResponseTypes = [] } = source;
  const findings: Finding[] = [];
  if (State === 'Disabled' || State === 'Disabling') {
    findings.push(
      problem(
        `The event source of ${worker} for ${queue} is disabled: only burst workers receive chunks.`,
        `aws lambda update-event-source-mapping --enabled --uuid ${UUID}`,
      ),
    );
  }
  const last = source.LastProcessingResult ?? '';
  if (/PROBLEM|ERROR/i.test(last)) {
    findings.push(
      warning(
        `The event source for ${queue} reports: ${last}`,
        `Check the role of ${worker}: it needs sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes on ${queue}, and kms:Decrypt if a KMS key encrypts it.`,
      ),
    );
  }
  if (!FunctionResponseTypes.includes('ReportBatchItemFailures')) {
    findings.push(
      problem(
        `The event source for ${queue} does not accept partial batch responses: it would delete chunks that a worker returns.`,
        `aws lambda update-event-source-mapping --function-response-types ReportBatchItemFailures --uuid ${UUID}`,
      ),
    );
  }
  const most = ScalingConfig?.MaximumConcurrency;
  if (most === undefined) {
    findings.push(
      warning(
        `The event source for ${queue} has no maximum concurrency: it can use all concurrent executions of the account.`,
        'Deploy again: the stack sets it from maxConcurrency.',
      ),
    );
  }
  if (findings.length > 0) return findings;
  return [ok(`The event source is ${State.toLowerCase()}, with at most ${most} workers.`)];
}

/** Checks for reservations of 0, which stop a function. */
export const reservations: Check<AccountSubject> = {
  title: 'reservations',
  async run({ reader }) {
    const all = await Promise.all(
      (await configurations(reader)).map(async ({ name }) => ({
        name,
        reserved: await reader.reserved(name),
      })),
    );
    const stopped = all.filter(({ reserved }) => reserved === 0);
    if (stopped.length === 0) {
      const some = all.filter(({ reserved }) => reserved !== undefined);
      if (some.length === 0) return ok('No function has reserved concurrency.');
      return ok(some.map(({ name, reserved }) => `${name} has ${reserved} reserved`).join(', '));
    }
    return stopped.map(({ name }) =>
      problem(
        `${name} has a reserved concurrency of 0: it never runs.`,
        `aws lambda delete-function-concurrency --function-name ${name}`,
      ),
    );
  },
};

export const recursion: Check<AccountSubject> = {
  title: 'recursion',
  async run({ reader, region }) {
    if (!hasRecursiveLoop(region)) return recursionSupport(region);
    const all = await Promise.all(
      (await configurations(reader)).map(async ({ name }) => ({
        name,
        setting: await reader.recursion(name),
      })),
    );
    const stopped = all.filter(({ setting }) => setting !== undefined && setting !== 'Allow');
    if (stopped.length === 0) return ok('Recursive loops are allowed, as workers need.');
    return stopped.map(({ name }) =>
      problem(
        `AWS stops recursive loops of ${name}: a chunk that workers have sent back 16 times is dropped.`,
        `aws lambda put-function-recursion-config --recursive-loop Allow --function-name ${name}`,
      ),
    );
  },
};
