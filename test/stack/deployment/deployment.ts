import { SQSClient } from '@aws-sdk/client-sqs';
import { Lambda } from '../../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { inProcess, type Service } from '../../../src/emulator/transport/index.ts';
import { openAddress } from './address.ts';
import type { BusEvent } from './asks.ts';
import { type Caller, Callers, credentialsOf } from './callers.ts';
import { connectEventSources } from './event-sources.ts';
import { type FunctionDefinition, functionsOf } from './functions.ts';
import { guards } from './guards.ts';
import { Intrinsics } from './intrinsics.ts';
import { Authority, type Principal, readStatements } from './policies/index.ts';
import { policed } from './port.ts';
import { assumableRoles, managedPolicies, resourcesOf, rolesOf } from './principals.ts';
import { createQueues } from './queues.ts';
import { RunningFunctions } from './running-functions.ts';
import { type BucketPlace, openMoto, openS3 } from './s3.ts';
import { type Place, readTemplate, type Template, TemplateError } from './template.ts';
import { checkWatched } from './watched.ts';

export interface DeployOptions {
  /** The folder that the CDK synthesized to. */
  readonly assembly: string;
  readonly stack: string;
  /** Instead of the assembly's own. */
  readonly template?: Template;
  /** Buckets beside the template's. */
  readonly buckets?: readonly string[];
  /** Buckets in another region. Foreign servers know no regions. */
  readonly bucketsElsewhere?: readonly string[];
  /** Whether S3 is a server that others wrote: moto. @default false */
  readonly foreignS3?: boolean;
  /**
   * The name of the managed policy that the operator has.
   * @default the operator may do everything
   */
  readonly operatorPolicy?: string | undefined;
  /**
   * The name of the managed policy that machines have.
   * @default they may do everything
   */
  readonly workPolicy?: string | undefined;
  /** Workers at once that an event source starts at most, for the sake of this machine. @default 4 */
  readonly mostWorkers?: number;
}

/** An arbitrary account and region, so that hard-coded ones are detected. */
const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';

const EVERYTHING = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
};

/** A stack that runs on this machine, as its template defines it. */
export interface Deployment extends AsyncDisposable {
  readonly place: Place;
  readonly sqs: Sqs;
  readonly authority: Authority;
  readonly functions: RunningFunctions;
  /** What the bus of events has received. */
  readonly events: readonly BusEvent[];
  /** The port's own service, for SDK clients in this process. */
  readonly service: Service;
  readonly operator: Caller;
  readonly machine: Caller;
  /** May do everything; its calls are not counted for any policy. */
  readonly owner: Caller;
  /** The address without TLS. */
  readonly plainUrl: string;
  /** Environment for a process of the operator: address, region, credentials. */
  readonly env: Record<string, string>;
  /** Environment for a process of a machine that runs workers. */
  readonly machineEnv: Record<string, string>;
}

/** Deploys a template: creates its resources, behind one port. */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { assembly, stack, mostWorkers = 4 } = options;
  const template = options.template ?? readTemplate(assembly, stack);
  await using opened = new AsyncDisposableStack();
  const address = opened.use(await openAddress());
  const { url, plainUrl, authorityFile, service } = address;
  const place = { accountId: ACCOUNT, region: REGION, stackName: stack, endpoint: url };
  const intrinsics = new Intrinsics(template, place);
  checkWhole(template, intrinsics);
  checkWatched(template, intrinsics);

  const sqs = new Sqs({ accountId: ACCOUNT, region: REGION, url });
  opened.defer(() => sqs.close());
  const sqsClient = createSqsClient(sqs, { endpoint: url });
  await createQueues(sqsClient, template, intrinsics);
  const buckets = bucketsOf(template, intrinsics, options);
  const s3 = await (options.foreignS3 ? openMoto(buckets, REGION) : openS3(buckets, REGION));
  opened.defer(() => s3.close());
  const lambda = new Lambda({ accountId: ACCOUNT, region: REGION });
  opened.defer(() => lambda.close());

  const definitions = functionsOf(assembly, template, intrinsics, place);
  const roles = rolesOf(template, intrinsics, place).map((role) => labelled(role, definitions));
  const holder = (role: string, policy: string | undefined) =>
    holderOf(template, intrinsics, role, policy);
  const people = holder('Operator', options.operatorPolicy);
  const machines = holder('Machine', options.workPolicy);
  const authority = new Authority();
  for (const principal of [...roles, people, machines]) authority.add(principal);
  const callers = new Callers();
  const operator = callers.add(people, 'somebody');
  const machine = callers.add(machines, 'desk');
  const owner = callers.add(everything('Owner'), 'owner');
  const shared = { lambda, authority, definitions, roles, callers, place };
  const env = { AWS_ENDPOINT_URL: url, NODE_EXTRA_CA_CERTS: authorityFile };
  const assumable = assumableRoles(template, intrinsics);
  const functions = new RunningFunctions({ ...shared, assumable, env });
  // Before the Lambda, which waits for their invocations.
  opened.defer(() => functions.kill());
  const sources = connectEventSources({
    ...{ ...shared, template, intrinsics, mostWorkers },
    client: (caller) => signedClient(service, place, caller),
  });
  const services = { lambda: lambda.service, s3: s3.service, sqs: sqs.service };
  const guarded = guards(template, intrinsics, sqsClient, place);
  const events: BusEvent[] = [];
  const onEvent = (event: BusEvent) => void events.push(event);
  address.serve(policed({ ...{ place, callers, authority, services, onEvent }, ...guarded }));
  sources.start();
  const open = opened.move();
  const here = {
    ...env,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_CA_BUNDLE: authorityFile,
  };
  return {
    ...{ place, sqs, authority, functions, events, service, operator, machine, owner, plainUrl },
    env: { ...here, ...credentialsOf(operator) },
    machineEnv: { ...here, ...credentialsOf(machine) },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function bucketsOf(
  template: Template,
  intrinsics: Intrinsics,
  { buckets = [], bucketsElsewhere = [] }: DeployOptions,
): BucketPlace[] {
  const ofTemplate = resourcesOf(template, intrinsics, 'AWS::S3::Bucket');
  const here = ofTemplate.map(({ logicalId }) => intrinsics.identity(logicalId).ref);
  return [
    ...[...here, ...buckets].map((name) => ({ name, region: REGION })),
    ...bucketsElsewhere.map((name) => ({ name, region: 'us-west-2' })),
  ];
}

/** Resolves the whole template, outputs included, to detect references to nothing. */
function checkWhole({ Resources, Outputs = {} }: Template, intrinsics: Intrinsics): void {
  for (const [logicalId, { Properties = {}, DependsOn = [] }] of Object.entries(Resources)) {
    intrinsics.identity(logicalId);
    intrinsics.resolve(Properties, logicalId);
    for (const other of [DependsOn].flat()) intrinsics.identity(other, `${logicalId}.DependsOn`);
  }
  for (const [name, { Value }] of Object.entries(Outputs)) {
    intrinsics.text(Value, `Outputs.${name}`);
  }
}

/** The role of a function, by the function's name. */
function labelled(role: Principal, definitions: readonly FunctionDefinition[]): Principal {
  const names = definitions.filter(({ roleArn }) => roleArn === role.arn).map(({ name }) => name);
  return names.length === 0 ? role : { ...role, label: names.join('+') };
}

/** A role that has one managed policy. */
function holderOf(
  template: Template,
  intrinsics: Intrinsics,
  role: string,
  policy: string | undefined,
): Principal {
  const all = everything(role);
  if (policy === undefined) return all;
  const policyArn = `arn:aws:iam::${ACCOUNT}:policy/${policy}`;
  const statements = managedPolicies(template, intrinsics).get(policyArn);
  if (statements) return { ...all, statements };
  throw new TemplateError(`The template has no managed policy ${policyArn}.`);
}

function everything(role: string): Principal {
  const statements = readStatements(EVERYTHING, role);
  const arn = `arn:aws:iam::${ACCOUNT}:role/${role}`;
  return { arn, label: role.toLowerCase(), accountId: ACCOUNT, statements };
}

function signedClient(service: Service, place: Place, caller: Caller): SQSClient {
  return new SQSClient({
    region: place.region,
    endpoint: place.endpoint,
    credentials: caller,
    requestHandler: inProcess(service),
    maxAttempts: 1,
  });
}
