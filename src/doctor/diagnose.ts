import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { isUnreached } from '../aws-errors.ts';
import { checkWhole, messageOf } from '../errors.ts';
import { CHECKED, checkOptions, type Kind, TEXT } from '../options.ts';
import { namesOf } from '../pipeline/names.ts';
import { type AccountClients, openAccount } from '../worlds/remote.ts';
import { AFTER } from './after.ts';
import { AwsReader, findingOf } from './aws.ts';
import { BEFORE, names } from './before.ts';
import { ok, problem, runChecks, type Titled, warning } from './finding.ts';
import { node, type TasksHere, tasksHere, tasksModule } from './machine.ts';

export interface DiagnoseOptions {
  /** The name of a stack, deployed or not. @default only the account is checked */
  stack?: string | undefined;
  /** Maximum concurrency planned for a stack that is not deployed yet. @default 100 */
  maxConcurrency?: number | undefined;
  /** The tasks module's path. @default tasks are not compared */
  tasks?: string | undefined;
}

/** The findings, with the account, region and state they apply to. */
export interface Diagnosis {
  stack: string | undefined;
  /** `before`: nothing of the stack is deployed, or none is named. `none`: AWS was not reached. */
  state: 'none' | 'before' | 'deployed';
  region: string | undefined;
  account: string | undefined;
  findings: Titled[];
}

const KINDS: Record<keyof DiagnoseOptions, Kind> = {
  stack: TEXT,
  maxConcurrency: CHECKED,
  tasks: TEXT,
};

/** The default of the `Fanfold` construct. */
const MAX_CONCURRENCY = 100;

/** Default stack name of the app in `cdk.json`. */
const STACK = 'Fanfold';

export async function diagnose(options: DiagnoseOptions = {}): Promise<Diagnosis> {
  checkOptions({ call: 'diagnose()', kinds: KINDS }, options);
  const { stack, maxConcurrency = MAX_CONCURRENCY } = options;
  checkWhole('maxConcurrency', maxConcurrency, 2, 1000);
  const deployment = namesOf(stack ?? STACK);
  const loading = options.tasks === undefined ? undefined : tasksHere(options.tasks);
  const clients = await openAccount(deployment.name);
  try {
    const found = await identify(clients, stack);
    const here = await loading;
    const machine = [
      ...(await runChecks([node], undefined, findingOf)),
      ...(await runChecks([tasksModule], here, findingOf)),
      ...found.findings,
    ];
    const { region, account } = found;
    if (region === undefined || account === undefined) {
      return { stack, state: 'none', region, account, findings: machine };
    }
    const reader = new AwsReader(clients, deployment);
    const aws = await examine(reader, { stack, region, maxConcurrency, here });
    return { stack, region, account, state: aws.state, findings: [...machine, ...aws.findings] };
  } finally {
    for (const client of Object.values(clients)) client.destroy();
  }
}

/** Determines the account and region that the SDK's settings select. */
async function identify({ lambda, sts }: AccountClients, stack: string | undefined) {
  // Runs on this machine need no account.
  const missing = stack === undefined ? warning : problem;
  const remedy = 'Set AWS_PROFILE, AWS_REGION and similar variables, as for the AWS CLI.';
  const findings: Titled[] = [];
  const region = await lambda.config.region().catch((error: unknown) => {
    findings.push({ title: 'region', ...missing(`No AWS region: ${messageOf(error)}.`, remedy) });
    return undefined;
  });
  if (region === undefined) return { region, account: undefined, findings };
  findings.push({ title: 'region', ...ok(`The AWS region is ${region}.`) });
  try {
    const { Account, Arn } = await sts.send(new GetCallerIdentityCommand({}));
    if (Account === undefined) {
      findings.push({ title: 'credentials', ...missing(NO_AWS, REACH) });
      return { region, account: undefined, findings };
    }
    findings.push({ title: 'credentials', ...ok(`Your AWS identity is ${Arn}.`) });
    return { region, account: Account, findings };
  } catch (error) {
    const mend = isUnreached(error) ? REACH : remedy;
    findings.push({ title: 'credentials', ...missing(messageOf(error), mend) });
    return { region, account: undefined, findings };
  }
}

const NO_AWS = 'The response to GetCallerIdentity is not from AWS.';
const REACH = 'Check the network, the proxy, and AWS_ENDPOINT_URL if it is set.';

interface Examined {
  stack: string | undefined;
  region: string;
  maxConcurrency: number;
  here: TasksHere | undefined;
}

async function examine(reader: AwsReader, { stack, region, maxConcurrency, here }: Examined) {
  if (stack !== undefined && !(await isFree(reader))) {
    const subject = { reader, region, here, workers: () => workersOf(reader) };
    return { state: 'deployed' as const, findings: await runChecks(AFTER, subject, findingOf) };
  }
  const checks = stack === undefined ? BEFORE : [names, ...BEFORE];
  const subject = { reader, region, workers: async () => maxConcurrency };
  return { state: 'before' as const, findings: await runChecks(checks, subject, findingOf) };
}

/** Whether no queue or function has one of the deployment's names. */
async function isFree(reader: AwsReader): Promise<boolean> {
  const found = await Promise.allSettled(reader.parts());
  const answers = found.flatMap((part) => (part.status === 'fulfilled' ? [part.value] : []));
  return answers.length > 0 && answers.every((answer) => answer === undefined);
}

/** Number of workers that need unreserved concurrency: those without a reservation. */
async function workersOf(reader: AwsReader): Promise<number> {
  const { tasks, worker, burst } = reader.names;
  const [source, seed, ...reserved] = await Promise.all([
    reader.eventSource(tasks),
    reader.seed().catch(() => undefined),
    reader.reserved(worker),
    reader.reserved(burst),
  ]);
  const all = seed?.workers ?? source?.ScalingConfig?.MaximumConcurrency ?? MAX_CONCURRENCY;
  return Math.max(0, all - reserved.reduce<number>((sum, number) => sum + (number ?? 0), 0));
}
