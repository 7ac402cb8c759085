import { randomUUID } from 'node:crypto';
import { type Credentials, SignatureError, Verifier } from '../../../src/emulator/auth/index.ts';
import { SqsError } from '../../../src/emulator/sqs/errors.ts';
import { protocolOf } from '../../../src/emulator/sqs/protocols/index.ts';
import type {
  Service,
  ServiceRequest,
  ServiceResponse,
} from '../../../src/emulator/transport/index.ts';
import { failure } from '../../../src/emulator/transport/service.ts';
import {
  asksOfEvents,
  asksOfLambda,
  asksOfS3,
  asksOfSqs,
  type BusEvent,
  type ServiceName,
  s3Path,
} from './asks.ts';
import type { Caller, Callers } from './callers.ts';
import type { Ask, Authority, Circumstances, Denial, Statement } from './policies/index.ts';
import type { Place } from './template.ts';

export interface PortOptions {
  readonly place: Place;
  readonly callers: Callers;
  readonly authority: Authority;
  readonly services: Readonly<Record<Exclude<ServiceName, 'events'>, Service>>;
  /** Takes the events that were allowed. */
  onEvent(event: BusEvent): void;
  /** The policy statements of a queue, a bucket or a key, by its ARN. */
  policyOf(arn: string): Promise<readonly Statement[]>;
  /** The ARN of the key that encrypts a queue or a bucket, if there is one. */
  keyOf(arn: string): Promise<string | undefined>;
}

/**
 * SQS, Lambda, S3 and EventBridge behind one address. A request is known by its signature, checked against the
 * policies of who signed it, and refused as its service would, or handed on.
 */
export function policed(options: PortOptions): Service {
  const credentials: Credentials[] = options.callers.all();
  const { region } = options.place;
  const verifiers = {
    events: new Verifier({ credentials, region, service: 'events' }),
    lambda: new Verifier({ credentials, region, service: 'lambda' }),
    sqs: new Verifier({ credentials, region, service: 'sqs' }),
  };
  return async (request) => {
    const [, keyId = '', name = ''] =
      /Credential=([^/]+)\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '') ?? [];
    const caller = options.callers.find(keyId);
    if (caller === undefined || !isService(name)) {
      return failure(403, 'UnrecognizedClientException', `Nobody is known by the key "${keyId}".`);
    }
    try {
      // S3 signs differently from other services, and its clients may not sign the body.
      if (name !== 's3') verifiers[name].verify(request, Date.now());
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error;
      return failure(403, 'InvalidSignatureException', error.message);
    }
    return answer(name, request, caller, options);
  };
}

function isService(name: string): name is ServiceName {
  return name === 'events' || name === 'lambda' || name === 's3' || name === 'sqs';
}

async function answer(
  name: ServiceName,
  request: ServiceRequest,
  caller: Caller,
  options: PortOptions,
): Promise<ServiceResponse> {
  const { authority, place, services, policyOf } = options;
  const check = async (ask: Ask, more: Circumstances = {}) => {
    const circumstances = {
      ...more,
      'aws:SecureTransport': String(request.secure ?? false),
      'kms:ViaService': `${name}.${place.region}.amazonaws.com`,
      's3:prefix': request.query.get('prefix') ?? undefined,
    };
    const denial = authority.check(
      caller.principal,
      ask,
      circumstances,
      await policyOf(ask.resource),
    );
    return denial && refusal(name, request, caller, denial);
  };
  if (name === 'events') {
    const entries = asksOfEvents(request, place);
    for (const { event, ask } of entries) {
      const refused = await check(ask, { 'events:source': event.Source });
      if (refused) return refused;
      options.onEvent(event);
    }
    const Entries = entries.map(() => ({ EventId: randomUUID() }));
    return { status: 200, headers: {}, body: JSON.stringify({ FailedEntryCount: 0, Entries }) };
  }
  for (const ask of await asksOf(name, request, options)) {
    const refused = await check(ask);
    if (refused) return refused;
  }
  const response = await services[name](request);
  const { bucket, key } = s3Path(request.path);
  if (name !== 's3' || response.status !== 404 || key === '') return response;
  if (Buffer.from(response.body).includes('NoSuchBucket')) return response;
  // A caller who may not list a bucket does not learn that an object is missing.
  const list = { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}` };
  return (await check(list)) ?? response;
}

async function asksOf(
  name: Exclude<ServiceName, 'events'>,
  request: ServiceRequest,
  { place, keyOf }: PortOptions,
): Promise<Ask[]> {
  if (name === 'lambda') return asksOfLambda(request, place);
  if (name === 's3') return withKeys(asksOfS3(request), keyOf);
  const { action, parameters } = protocolOf(request).read(request);
  return withKeys(asksOfSqs(action, parameters, place), keyOf);
}

/**
 * Permissions on the key of what is encrypted.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
 */
const OF_KEYS: Readonly<Record<string, readonly string[]>> = {
  's3:GetObject': ['kms:Decrypt'],
  // An upload in parts is decrypted, too.
  's3:PutObject': ['kms:GenerateDataKey', 'kms:Decrypt'],
  'sqs:ReceiveMessage': ['kms:Decrypt'],
  'sqs:SendMessage': ['kms:GenerateDataKey', 'kms:Decrypt'],
};

async function withKeys(asks: readonly Ask[], keyOf: PortOptions['keyOf']): Promise<Ask[]> {
  const ofKeys = asks.map(async ({ action, resource: encrypted }): Promise<Ask[]> => {
    const actions = OF_KEYS[action] ?? [];
    const resource = actions.length > 0 ? await keyOf(encrypted) : undefined;
    return resource === undefined ? [] : actions.map((one) => ({ action: one, resource }));
  });
  return [...asks, ...(await Promise.all(ofKeys)).flat()];
}

/** An error in the form of the called service. */
function refusal(
  name: ServiceName,
  request: ServiceRequest,
  { arn }: Caller,
  { action, resource, reason }: Denial,
): ServiceResponse {
  const message = `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`;
  if (name === 'lambda' || name === 'events') {
    return failure(403, 'AccessDeniedException', message);
  }
  if (name === 's3') {
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>${message}</Message></Error>`;
    return { status: 403, headers: { 'content-type': 'application/xml' }, body };
  }
  const code = action.startsWith('kms:') ? 'KmsAccessDenied' : 'AccessDenied';
  return protocolOf(request).error(new SqsError(code, message), randomUUID());
}
