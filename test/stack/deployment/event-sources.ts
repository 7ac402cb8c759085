import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Lambda } from '../../../src/emulator/lambda/index.ts';
import type { Caller, Callers } from './callers.ts';
import { checkKnown, type FunctionDefinition } from './functions.ts';
import type { Intrinsics } from './intrinsics.ts';
import type { Authority, Principal } from './policies/index.ts';
import { resourcesOf } from './principals.ts';
import { type Template, TemplateError } from './template.ts';

interface EventSourcesOptions {
  readonly template: Template;
  readonly intrinsics: Intrinsics;
  readonly definitions: readonly FunctionDefinition[];
  readonly roles: readonly Principal[];
  readonly callers: Callers;
  readonly lambda: Lambda;
  readonly authority: Authority;
  readonly mostWorkers: number;
  client(caller: Caller): SQSClient;
}

interface Mapping {
  BatchSize?: number;
  Enabled?: boolean;
  EventSourceArn: string;
  FunctionName: string;
  FunctionResponseTypes?: string[];
  ScalingConfig?: { MaximumConcurrency?: number };
}

const PROPERTIES = [
  'BatchSize',
  'Enabled',
  'EventSourceArn',
  'FunctionName',
  'FunctionResponseTypes',
  'ScalingConfig',
  'Tags',
];

/** Permissions that Lambda requires of a function's role for a mapping, and uses to poll. */
const NEEDED = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

/** Checks a template's event source mappings as Lambda does; `start` makes them poll. */
export function connectEventSources(options: EventSourcesOptions): { start(): void } {
  const { template, intrinsics } = options;
  const sources = resourcesOf(template, intrinsics, 'AWS::Lambda::EventSourceMapping').map(
    (resource) => {
      checkKnown(resource, PROPERTIES);
      return connect(resource.logicalId, resource.properties as unknown as Mapping, options);
    },
  );
  return {
    start() {
      for (const source of sources) source();
    },
  };
}

function connect(where: string, mapping: Mapping, options: EventSourcesOptions): () => void {
  const { definitions, roles, callers, lambda, mostWorkers } = options;
  const { BatchSize = 10, FunctionName, FunctionResponseTypes = [], ScalingConfig = {} } = mapping;
  const target = definitions.find(({ name }) => name === FunctionName);
  if (target === undefined) {
    throw new TemplateError(`${where} is for the function ${FunctionName}, which is not there.`);
  }
  const role = roles.find(({ arn }) => arn === target.roleArn);
  if (role === undefined) throw new TemplateError(`${target.name} has no role.`);
  const queueUrl = checkQueue(where, mapping, target, options);
  checkConcurrency(where, ScalingConfig.MaximumConcurrency, target);
  for (const action of NEEDED) {
    const ask = { action, resource: mapping.EventSourceArn };
    const denial = options.authority.check(role, ask, {}, []);
    if (denial === undefined) continue;
    throw new TemplateError(
      `${where}: The provided execution role does not have permissions to call ${action} on ${ask.resource}.`,
    );
  }
  const sqs = options.client(callers.add(role, 'event-source'));
  return () => {
    if (mapping.Enabled === false) return;
    lambda.addSqsEventSource(target.name, {
      sqs,
      queueUrl,
      batchSize: BatchSize,
      reportBatchItemFailures: FunctionResponseTypes.includes('ReportBatchItemFailures'),
      maxConcurrency: Math.min(mostWorkers, ScalingConfig.MaximumConcurrency ?? mostWorkers),
    });
  };
}

/** The URL of the queue that a mapping is for. */
function checkQueue(
  where: string,
  { EventSourceArn }: Mapping,
  { name, timeoutSeconds }: FunctionDefinition,
  { template, intrinsics }: EventSourcesOptions,
): string {
  const queue = resourcesOf(template, intrinsics, 'AWS::SQS::Queue').find(
    ({ logicalId }) => intrinsics.identity(logicalId).attributes.Arn === EventSourceArn,
  );
  if (queue === undefined) {
    throw new TemplateError(`${where} is for the queue ${EventSourceArn}, which is not there.`);
  }
  const { VisibilityTimeout = 30 } = queue.properties as { VisibilityTimeout?: number };
  if (VisibilityTimeout < timeoutSeconds) {
    throw new TemplateError(
      `${where}: Queue visibility timeout: ${VisibilityTimeout} seconds is less than Function timeout: ${timeoutSeconds} seconds (${name}).`,
    );
  }
  return intrinsics.identity(queue.logicalId).ref;
}

function checkConcurrency(
  where: string,
  most: number | undefined,
  { name, reservedConcurrency }: FunctionDefinition,
): void {
  if (most !== undefined && !(most >= 2 && most <= 1000)) {
    throw new TemplateError(`${where}: MaximumConcurrency is 2 to 1000; it is ${most}.`);
  }
  if (most === undefined || reservedConcurrency === undefined || most <= reservedConcurrency)
    return;
  throw new TemplateError(
    `${where}: MaximumConcurrency is ${most}, more than the ${reservedConcurrency} reserved for ${name}: messages would be throttled into the dead-letter queue.`,
  );
}
