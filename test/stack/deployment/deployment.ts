import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Lambda } from '../../../src/local/lambda/index.ts';
import { certificateIn } from '../../../src/local/served/certificate.ts';
import { createSqsClient, Sqs } from '../../../src/local/sqs/index.ts';
import { inProcess, listen, type Service } from '../../../src/local/transport.ts';
import { type Caller, Callers, credentialsOf } from './callers.ts';
import { connectEventSources } from './event-sources.ts';
import { type FunctionDefinition, functionsOf } from './functions.ts';
import { Intrinsics } from './intrinsics.ts';
import { Authority, type Principal, readStatements, type Statement } from './policies/index.ts';
import { policed } from './port.ts';
import { assumableRoles, managedPolicies, resourcesOf, rolesOf } from './principals.ts';
import { QueueAttributes } from './queue-attributes.ts';
import { createQueues } from './queues.ts';
import { RunningFunctions } from './running-functions.ts';
import { openS3 } from './s3.ts';
import { type Place, readTemplate, type Template, TemplateError } from './template.ts';

export interface DeployOptions {
  /** The folder that the CDK synthesized to. */
  readonly assembly: string;
  readonly stack: string;
  /** Instead of the assembly's own. */
  readonly template?: Template;
  /** Buckets beside the template's. */
  readonly buckets?: readonly string[];
  /**
   * The name of the managed policy that the operator has.
   * @default the operator may do everything
   */
  readonly operatorPolicy?: string | undefined;
  /** Workers at once that an event source starts at most, for the sake of this machine. @default 4 */
  readonly mostWorkers?: number;
}

/** Nobody's: an id or region that is written down somewhere is found out. */
const ACCOUNT = '123456789012';
const REGION = 'eu-central-1';

/** For objects of S3, which are sent in one piece here. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;

const EVERYTHING = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
};

/** What AWS gives a key that is given no policy: the account's own policies decide. */
const USUAL_KEY_POLICY = readStatements(
  {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  },
  'the key',
);

/** A stack that runs here, as its template says. */
export interface Deployment extends AsyncDisposable {
  readonly place: Place;
  readonly sqs: Sqs;
  readonly authority: Authority;
  readonly functions: RunningFunctions;
  /** The port's own service, for SDK clients in this process. */
  readonly service: Service;
  readonly operator: Caller;
  /** May do everything; what it does counts for no policy. */
  readonly owner: Caller;
  /** The address without TLS. */
  readonly plainUrl: string;
  /** What makes a process one of the operator's: address, region, credentials. */
  readonly env: Record<string, string>;
}

/** Deploys a template: makes what it says, behind one port. */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { assembly, stack, mostWorkers = 4 } = options;
  const template = options.template ?? readTemplate(assembly, stack);
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-port-'));
  opened.defer(() => rmSync(folder, { recursive: true }));
  const { cert, key } = await certificateIn(folder);
  const authorityFile = join(folder, 'authority.pem');
  writeFileSync(authorityFile, cert);
  let service: Service | undefined;
  const port: Service = (request) => {
    if (service) return service(request);
    throw new Error('The deployment is not ready.');
  };
  const server = opened.use(
    await listen(port, { tls: { cert, key }, maxBodyBytes: MAX_BODY_BYTES }),
  );
  const plain = opened.use(await listen(port, { maxBodyBytes: MAX_BODY_BYTES }));

  const place = { accountId: ACCOUNT, region: REGION, stackName: stack, endpoint: server.url };
  const intrinsics = new Intrinsics(template, place);
  checkWhole(template, intrinsics);
  const sqs = new Sqs({ accountId: ACCOUNT, region: REGION, url: server.url });
  opened.defer(() => sqs.close());
  const sqsClient = createSqsClient(sqs, { endpoint: server.url });
  await createQueues(sqsClient, template, intrinsics);
  const lambda = new Lambda({ accountId: ACCOUNT, region: REGION });
  const bucketNames = resourcesOf(template, intrinsics, 'AWS::S3::Bucket').map(
    ({ logicalId }) => intrinsics.identity(logicalId).ref,
  );
  const s3 = await openS3([...bucketNames, ...(options.buckets ?? [])], REGION);
  opened.defer(() => s3.close());

  const definitions = functionsOf(assembly, template, intrinsics, place);
  const roles = rolesOf(template, intrinsics, place).map((role) => labelled(role, definitions));
  const people = operator(template, intrinsics, options);
  const authority = new Authority();
  for (const principal of [...roles, people]) authority.add(principal);
  const callers = new Callers();
  const person = callers.add(people, 'somebody');
  const owner = callers.add(everything('Owner'), 'owner');
  const functions = new RunningFunctions({
    ...{ lambda, authority, definitions, roles, callers },
    assumable: assumableRoles(template, intrinsics),
    env: { AWS_ENDPOINT_URL: server.url, NODE_EXTRA_CA_CERTS: authorityFile },
    place,
  });
  const sources = connectEventSources({
    ...{ template, intrinsics, definitions, roles, callers, lambda, authority, mostWorkers },
    client: (caller) => signedClient(port, place, caller),
  });
  service = policed({
    ...{ place, callers, authority },
    services: { lambda: lambda.service, s3: s3.service, sqs: sqs.service },
    ...guards(template, intrinsics, sqsClient, place),
  });
  opened.defer(() => lambda.close());
  // Before the Lambda waits for what they run.
  opened.defer(() => functions.kill());
  sources.start();
  const open = opened.move();
  return {
    ...{
      place,
      sqs,
      authority,
      functions,
      service: port,
      operator: person,
      owner,
      plainUrl: plain.url,
    },
    env: {
      AWS_ENDPOINT_URL: server.url,
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      NODE_EXTRA_CA_CERTS: authorityFile,
      AWS_CA_BUNDLE: authorityFile,
      ...credentialsOf(person),
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Resolves all that the template says, outputs too: a reference to nothing is found here. */
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

/** A role by the name of the function whose it is. */
function labelled(role: Principal, definitions: readonly FunctionDefinition[]): Principal {
  const names = definitions.filter(({ roleArn }) => roleArn === role.arn).map(({ name }) => name);
  return names.length === 0 ? role : { ...role, label: names.join('+') };
}

function operator(
  template: Template,
  intrinsics: Intrinsics,
  { operatorPolicy }: DeployOptions,
): Principal {
  const all = everything('Operator');
  if (operatorPolicy === undefined) return all;
  const policyArn = `arn:aws:iam::${ACCOUNT}:policy/${operatorPolicy}`;
  const statements = managedPolicies(template, intrinsics).get(policyArn);
  if (statements) return { ...all, statements };
  throw new TemplateError(`The template has no managed policy ${policyArn}.`);
}

function everything(role: string): Principal {
  const statements = readStatements(EVERYTHING, role);
  const arn = `arn:aws:iam::${ACCOUNT}:role/${role}`;
  return { arn, label: role.toLowerCase(), accountId: ACCOUNT, statements };
}

/** What guards queues, buckets and keys, by their ARNs. */
function guards(template: Template, intrinsics: Intrinsics, sqs: SQSClient, place: Place) {
  const queues = new QueueAttributes(sqs, place);
  const keys = new Map<string, string>();
  const policies = new Map<string, Statement[]>();
  for (const { logicalId, properties } of resourcesOf(template, intrinsics, 'AWS::KMS::Key')) {
    const {
      ref,
      attributes: { Arn = '' },
    } = intrinsics.identity(logicalId);
    keys.set(ref, Arn).set(Arn, Arn);
    policies.set(Arn, readStatements(properties.KeyPolicy, logicalId));
  }
  for (const { logicalId, properties } of resourcesOf(
    template,
    intrinsics,
    'AWS::S3::BucketPolicy',
  )) {
    const arn = `arn:aws:s3:::${properties.Bucket}`;
    policies.set(arn, readStatements(properties.PolicyDocument, logicalId));
  }
  return {
    keyOf: async (queueArn: string) => {
      const { keyId = '' } = await queues.of(queueArn);
      // One of another stack is named by its ARN.
      return keys.get(keyId) ?? (keyId.startsWith('arn:aws:kms:') ? keyId : undefined);
    },
    policyOf: async (arn: string) => {
      if (arn.startsWith('arn:aws:sqs:')) return (await queues.of(arn)).statements;
      if (arn.startsWith('arn:aws:kms:')) return policies.get(arn) ?? USUAL_KEY_POLICY;
      // A bucket's policy is for its objects too.
      return policies.get(arn.replace(/^(arn:aws:s3:::[^/]+)\/.*$/s, '$1')) ?? [];
    },
  };
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
