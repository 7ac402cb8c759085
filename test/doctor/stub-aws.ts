import { CreateQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { Lambda } from '../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import {
  listen,
  type ServiceRequest,
  type ServiceResponse,
} from '../../src/emulator/transport/index.ts';
import { seedHandler } from '../../src/handlers.ts';

/** A response of AWS: a body, or an error. */
export type Answer = object;

/**
 * Answers by action, such as `GetAccountSettings`, `GetFunctionConfiguration Photos-worker` or
 * `SQS GetQueueUrl Photos-tasks`.
 */
export type Answers = Record<string, Answer>;

interface Refusal {
  refused: string;
  status: number;
  message: string;
}

export const refused = (code: string, status = 403): Refusal => ({
  refused: code,
  status,
  message: `${code}, says AWS`,
});

const settings = {
  AccountLimit: {
    ConcurrentExecutions: 1000,
    UnreservedConcurrentExecutions: 1000,
    TotalCodeSize: 80_530_636_800,
  },
  AccountUsage: { TotalCodeSize: 1_000_000, FunctionCount: 3 },
};

/** A healthy event source of a queue. */
export const eventSourceOf = (queue: string) => ({
  UUID: `uuid-of-${queue}`,
  EventSourceArn: `arn:aws:sqs:us-east-1:000000000000:${queue}`,
  State: 'Enabled',
  FunctionResponseTypes: ['ReportBatchItemFailures'],
  ScalingConfig: { MaximumConcurrency: 50 },
});

const [ofTasks, ofLanes] = ['Photos-tasks', 'Photos-lanes.fifo'].map(eventSourceOf);

const functions = ['Photos-seed', 'Photos-worker', 'Photos-burst', 'Photos-collector'];

/** The seed's configuration in a stack with these variables. */
export const seedWith = (Variables: Record<string, string>) => ({
  FunctionName: 'Photos-seed',
  State: 'Active',
  LastUpdateStatus: 'Successful',
  Timeout: 900,
  Environment: { Variables },
});

/** S3's response to a list of an empty bucket. */
const EMPTY_LIST = { list: '<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>' };

/** Responses of Lambda and STS for a healthy deployment "Photos". */
const HEALTHY: Answers = {
  GetCallerIdentity: {},
  GetAccountSettings: settings,
  ListEventSourceMappings: { EventSourceMappings: [ofTasks, ofLanes] },
  ...Object.fromEntries(
    functions.flatMap((name): [string, Answer][] => [
      [
        `GetFunctionConfiguration ${name}`,
        { FunctionName: name, State: 'Active', LastUpdateStatus: 'Successful', Timeout: 900 },
      ],
      [`GetFunctionConcurrency ${name}`, {}],
      [`GetFunctionRecursionConfig ${name}`, { RecursiveLoop: 'Allow' }],
    ]),
  ),
  'GetFunctionConfiguration Photos-seed': seedWith({
    FANFOLD_BUCKET: 'photos',
    FANFOLD_RESULT_PLACES: '["s3://photos/runs/"]',
  }),
  'S3 ListObjectsV2 photos': EMPTY_LIST,
};

/** Lambda's REST paths. https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html */
const PATHS: [RegExp, string][] = [
  [/^\/2016-08-19\/account-settings/, 'GetAccountSettings'],
  [/^\/2015-03-31\/event-source-mappings/, 'ListEventSourceMappings'],
  [/^\/2015-03-31\/functions\/([^/]+)\/configuration$/, 'GetFunctionConfiguration'],
  [/^\/2019-09-30\/functions\/([^/]+)\/concurrency$/, 'GetFunctionConcurrency'],
  [/^\/2024-08-31\/functions\/([^/]+)\/recursion-config$/, 'GetFunctionRecursionConfig'],
  [/^\/2015-03-31\/functions\/([^/]+)\/invocations$/, 'Invoke'],
];

export interface StubAws {
  /** As the SDK reads it. */
  env: Record<string, string>;
  sqs: SQSClient;
  close(): Promise<void>;
}

export interface StubOptions {
  tasks: object;
  answers?: Answers | undefined;
  /** Attributes of the task queue. */
  attributes?: Record<string, string> | undefined;
  /** Attributes of the queue of lanes. */
  lanes?: Record<string, string> | undefined;
  deployed?: boolean | undefined;
  /** Queues that the deployment lacks. */
  without?: readonly string[] | undefined;
}

/**
 * AWS on a port: SQS is this repository's, the seed is a real one, and all else of Lambda and STS
 * is a table.
 */
export async function stubAws(options: StubOptions): Promise<StubAws> {
  const { tasks, answers = {}, attributes = {}, lanes = {} } = options;
  const { deployed = true, without = [] } = options;
  const sqs = new Sqs();
  const lambda = new Lambda();
  const client = createSqsClient(sqs);
  if (deployed) {
    const VisibilityTimeout = '960';
    const queues = {
      'Photos-tasks-dead': {},
      'Photos-results': {},
      'Photos-ended': {},
      'Photos-tasks': { VisibilityTimeout, ...attributes },
      'Photos-lanes.fifo': { FifoQueue: 'true', VisibilityTimeout, ...lanes },
    };
    for (const [QueueName, Attributes] of Object.entries(queues)) {
      if (without.includes(QueueName)) continue;
      await client.send(new CreateQueueCommand({ QueueName, Attributes }));
    }
    const seed = seedHandler(tasks, { sqs: client, name: 'Photos', workers: 100, burst: 50 });
    lambda.addFunction('Photos-seed', seed, { timeoutSeconds: 60 });
  }
  const table = deployed ? HEALTHY : notDeployed();
  const server = await listen((request) => {
    const action = actionOf(request);
    const [, queue] = /"QueueName":"([^"]+)/.exec(Buffer.from(request.body).toString()) ?? [];
    const answer =
      answers[`${action} ${queue}`] ??
      answers[action] ??
      answers[action.split(' ')[0] ?? ''] ??
      table[action];
    if (answer !== undefined) return responseOf(action, answer);
    if (action.startsWith('Invoke')) return lambda.service(request);
    if (action.startsWith('SQS')) return sqs.service(request);
    return responseOf(action, refused('ResourceNotFoundException', 404));
  });
  return {
    env: {
      AWS_ENDPOINT_URL: server.url,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
    },
    sqs: client,
    async close() {
      await server.close();
      await lambda.close();
      sqs.close();
    },
  };
}

function notDeployed(): Answers {
  const { GetCallerIdentity = {}, GetAccountSettings = {} } = HEALTHY;
  return { GetCallerIdentity, GetAccountSettings };
}

function actionOf({ path, query, headers, body }: ServiceRequest): string {
  if (query.has('list-type')) return `S3 ListObjectsV2 ${path.replaceAll('/', '')}`;
  const target = headers['x-amz-target'];
  if (target !== undefined) return `SQS ${target.replace('AmazonSQS.', '')}`;
  for (const [pattern, action] of PATHS) {
    const match = pattern.exec(path);
    if (match) return [action, ...match.slice(1)].join(' ');
  }
  return /Action=(\w+)/.exec(Buffer.from(body).toString())?.[1] ?? path;
}

function responseOf(action: string, answer: Answer): ServiceResponse {
  if ('page' in answer) return xml(404, String(answer.page));
  if ('list' in answer) return xml(200, String(answer.list));
  if (!('refused' in answer)) {
    if (action !== 'GetCallerIdentity') return json(200, answer);
    return xml(
      200,
      `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/me</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
    );
  }
  const { refused: code, status, message } = answer as Refusal;
  if (action.startsWith('S3')) {
    return xml(status, `<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
  }
  if (action === 'GetCallerIdentity') {
    const error = `<Code>${code}</Code><Message>${message}</Message>`;
    return xml(status, `<ErrorResponse><Error>${error}</Error></ErrorResponse>`);
  }
  const response = json(status, { __type: code, message });
  return { ...response, headers: { ...response.headers, 'x-amzn-errortype': code } };
}

function json(status: number, body: object): ServiceResponse {
  const headers = { 'content-type': 'application/json' };
  return { status, headers, body: JSON.stringify(body) };
}

function xml(status: number, body: string): ServiceResponse {
  return { status, headers: { 'content-type': 'text/xml' }, body };
}
