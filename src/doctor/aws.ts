import {
  GetAccountSettingsCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetFunctionRecursionConfigCommand,
  ListEventSourceMappingsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, S3ServiceException } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, ListQueuesCommand } from '@aws-sdk/client-sqs';
import { FanfoldError, messageOf } from '../errors.ts';
import type { Names } from '../pipeline/names.ts';
import { noDeployment } from '../pipeline/run/deployment.ts';
import { findQueue } from '../pipeline/run/queues.ts';
import { describeSeed } from '../pipeline/seeding/invoke-seed.ts';
import type { AccountClients } from '../worlds/remote.ts';
import { type Finding, problem, unknown } from './finding.ts';

/** AWS denied an action. */
class Denied extends Error {
  readonly action: string;

  constructor(action: string, cause: unknown) {
    super(`${action} is denied: ${messageOf(cause)}`, { cause });
    this.action = action;
  }
}

const DENIED = /AccessDenied|NotAuthorized|UnauthorizedOperation/;
const KMS = /^K[Mm][Ss]/;

/** @param action the IAM action that the call needs, such as `lambda:GetAccountSettings` */
async function ask<Answer>(action: string, call: Promise<Answer>): Promise<Answer> {
  try {
    return await call;
  } catch (error) {
    const { name = '' } = Object(error) as { name?: string };
    throw DENIED.test(name) && !KMS.test(name) ? new Denied(action, error) : error;
  }
}

/** Turns the error of a check into a finding. */
export function findingOf(error: unknown): Finding {
  if (error instanceof Denied) {
    return unknown(
      `AWS denies this check: it needs ${error.action}.`,
      `Allow ${error.action} for your user or role, or ask someone with this permission to run doctor.`,
    );
  }
  if (error instanceof Error && KMS.test(error.name)) {
    return problem(
      `The queues' KMS key cannot be used: ${messageOf(error)}`,
      'Enable the key, and allow kms:GenerateDataKey and kms:Decrypt on it, in its key policy too.',
    );
  }
  if (error instanceof FanfoldError) return unknown(error.message, 'Deploy again.');
  if (error instanceof SyntaxError) {
    return unknown(
      'The response is not JSON: the endpoint may not be AWS, or may not support this call.',
      'Check AWS_ENDPOINT_URL and the network.',
    );
  }
  return unknown(
    `The check failed: ${messageOf(error)}`,
    'Try again; check the network and the region.',
  );
}

/** Reads from an account and a deployment in it. Most calls are made once and then cached. */
export class AwsReader {
  readonly clients: AccountClients;
  readonly names: Names;
  readonly #made = new Map<string, Promise<unknown>>();

  constructor(clients: AccountClients, names: Names) {
    this.clients = clients;
    this.names = names;
  }

  #once<Answer>(key: string, action: string, call: () => Promise<Answer>): Promise<Answer> {
    const known = this.#made.get(key);
    // The key names the call, whose answer is of one type.
    if (known !== undefined) return known as Promise<Answer>;
    const made = ask(action, call());
    made.catch(() => {});
    this.#made.set(key, made);
    return made;
  }

  settings() {
    return this.#once('settings', 'lambda:GetAccountSettings', () =>
      this.clients.lambda.send(new GetAccountSettingsCommand({})),
    );
  }

  /** A queue's URL; undefined when there is none. */
  queueUrl(queue: string): Promise<string | undefined> {
    return this.#once(`url ${queue}`, 'sqs:GetQueueUrl', () => findQueue(this.clients.sqs, queue));
  }

  /** A queue's attributes. @throws FanfoldError when there is no such queue */
  async attributes(queue: string): Promise<Partial<Record<string, string>>> {
    const QueueUrl = await this.queueUrl(queue);
    if (QueueUrl === undefined) throw noDeployment(this.names, `queue ${queue}`);
    const { Attributes = {} } = await this.#once(queue, 'sqs:GetQueueAttributes', () =>
      this.clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })),
    );
    return Attributes;
  }

  /** A function's configuration; undefined when there is none. */
  configuration(FunctionName: string) {
    return this.#once(`function ${FunctionName}`, 'lambda:GetFunctionConfiguration', () =>
      this.clients.lambda
        .send(new GetFunctionConfigurationCommand({ FunctionName }))
        .catch(missing),
    );
  }

  /** A function's reserved concurrency; undefined when it has none. */
  async reserved(FunctionName: string): Promise<number | undefined> {
    const answer = await this.#once(
      `concurrency ${FunctionName}`,
      'lambda:GetFunctionConcurrency',
      () =>
        this.clients.lambda
          .send(new GetFunctionConcurrencyCommand({ FunctionName }))
          .catch(missing),
    );
    return answer?.ReservedConcurrentExecutions;
  }

  /** `Allow` or `Terminate`; undefined when there is no such function, or no such setting. */
  async recursion(FunctionName: string): Promise<string | undefined> {
    const answer = await ask(
      'lambda:GetFunctionRecursionConfig',
      this.clients.lambda
        .send(new GetFunctionRecursionConfigCommand({ FunctionName }))
        .catch(missing),
    );
    return answer?.RecursiveLoop;
  }

  /** The worker function's event source for a queue; undefined when it has none. */
  async eventSource(queue: string) {
    const FunctionName = this.names.worker;
    const answer = await this.#once('event sources', 'lambda:ListEventSourceMappings', () =>
      this.clients.lambda.send(new ListEventSourceMappingsCommand({ FunctionName })).catch(missing),
    );
    return answer?.EventSourceMappings?.find(({ EventSourceArn = '' }) =>
      EventSourceArn.endsWith(`:${queue}`),
    );
  }

  /** Looks up the deployment's queues and functions; each is undefined if it doesn't exist. */
  parts(): Promise<unknown>[] {
    const { tasks, lanes, dead, results, ended, seed, worker, burst, collector } = this.names;
    return [
      ...[tasks, lanes, dead, results, ended].map((queue) => this.queueUrl(queue)),
      ...[seed, worker, burst, collector].map((name) => this.configuration(name)),
    ];
  }

  /** The deployment's description, from its seed function. */
  seed() {
    return this.#once('seed', 'lambda:InvokeFunction', () =>
      describeSeed(this.clients.lambda, this.names),
    );
  }

  /** Checks that a bucket exists. The objects that it looks for are those that operators may list. */
  async hasBucket(Bucket: string): Promise<boolean> {
    const command = new ListObjectsV2Command({ Bucket, Prefix: 'payloads/', MaxKeys: 1 });
    try {
      await ask('s3:ListBucket', this.clients.s3.send(command));
      return true;
    } catch (error) {
      if (error instanceof S3ServiceException && error.name === 'NoSuchBucket') return false;
      throw error;
    }
  }

  /** Number of runs that are not over, at most 1,000. */
  async runs(): Promise<number> {
    const command = new ListQueuesCommand({
      QueueNamePrefix: this.names.run(''),
      MaxResults: 1000,
    });
    const { QueueUrls = [] } = await ask('sqs:ListQueues', this.clients.sqs.send(command));
    return QueueUrls.length;
  }
}

function missing(error: unknown): undefined {
  if (error instanceof ResourceNotFoundException) return undefined;
  throw error;
}
