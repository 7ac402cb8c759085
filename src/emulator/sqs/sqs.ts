import { randomUUID } from 'node:crypto';
import { FanfoldError, messageOf } from '../../errors.ts';
import { SignatureError, type SignatureFault, signedService } from '../auth/index.ts';
import type {
  Service,
  ServiceRequest,
  ServiceResponse,
  SignedService,
} from '../transport/index.ts';
import { ACTIONS } from './actions/index.ts';
import { type Output, ReceivedMessages } from './call.ts';
import { claimedQueues, keysQueues, type SqsCredentials, verifierOf } from './callers.ts';
import { Accounts } from './engine/accounts.ts';
import type { MessageState } from './engine/message.ts';
import type { Queues } from './engine/queues.ts';
import { SqsError, type SqsErrorCode, unknownAction } from './errors.ts';
import { Input } from './input.ts';
import { FIFO_MEMORY_SECONDS, PURGE_SECONDS, RECREATE_SECONDS } from './limits.ts';
import { LongPolls } from './long-polls.ts';
import { MoveTasks } from './move-tasks.ts';
import { checkSqsOptions, type SqsOptions } from './options.ts';
import { protocolOf } from './protocols/index.ts';
import type { ActionRequest, Protocol } from './protocols/protocol.ts';
import { hostOf } from './protocols/request.ts';
import { ServiceTime } from './service-time.ts';
import type { Store } from './store/store.ts';

/** A message as `peek` shows it. */
export interface PeekedMessage {
  /** The id that SendMessage returned. */
  messageId: string;
  /** The body, as it was sent. */
  body: string;
  /** `delayed`, `visible` or `inFlight`. */
  state: MessageState;
  /** Number of receives so far. */
  receiveCount: number;
  /** Milliseconds since 1970. */
  sentAt: number;
  /** The group, if the message has one. */
  messageGroupId: string | undefined;
}

/**
 * An SQS in this process. As on AWS, each account has its own queues in each region; the signature
 * of a request names both. Give `service` to an SDK client (`createSqsClient` does) or serve it on
 * a port. Without a `store`, the queues end with the process.
 */
export class Sqs {
  /** The region of callers that name none. */
  readonly region: string;
  /** The account of callers that name none. */
  readonly accountId: string;
  readonly #url: string | undefined;
  readonly #accounts: Accounts;
  readonly #polls: LongPolls;
  readonly #moves: MoveTasks;
  readonly #store: Store | undefined;
  readonly #time = new ServiceTime();

  /** @throws FanfoldError `BadOption` */
  constructor(options: SqsOptions = {}) {
    checkSqsOptions(options);
    const {
      accountId = '000000000000',
      region = 'us-east-1',
      url,
      strictTiming = true,
      fifoMemorySeconds = FIFO_MEMORY_SECONDS,
      bodyDigests = true,
      background = false,
      store,
      onQueue,
    } = options;
    this.region = region;
    this.accountId = accountId;
    this.#url = url === undefined ? undefined : originOf(url);
    const own = { accountId, region };
    this.#accounts = new Accounts(own, {
      recreateAfterSeconds: strictTiming ? RECREATE_SECONDS : 0,
      purgeAfterSeconds: strictTiming ? PURGE_SECONDS : 0,
      fifoMemorySeconds,
      bodyDigests,
      keeper: store,
      onQueue,
    });
    this.#polls = new LongPolls(this.#accounts.changed, this.#time, background);
    const serveChanged = (now: number) => this.#polls.serveChanged(now);
    this.#moves = new MoveTasks(this.#accounts, serveChanged, this.#time);
    const queuesOf = claimedQueues(this.#accounts);
    this.service = (request) => this.#answer(request, queuesOf(request));
    this.#store = store;
    store?.load(this.#accounts, serveChanged, this.#time);
    if (store) this.#moves.resume(this.#time.now);
  }

  /**
   * Answers requests of any caller as SQS does. Signatures are not verified: they name the region
   * and, with an access key id of 12 digits, the account.
   */
  readonly service: Service;

  /**
   * A service that accepts only requests that are signed with one of the keys.
   *
   * @param credentials the keys, and their accounts
   * @param options of the service
   * @param options.everyRegion whether it accepts all of AWS's regions. Default: only its own
   */
  signedService(
    credentials: readonly SqsCredentials[],
    { everyRegion = false }: { everyRegion?: boolean } = {},
  ): SignedService {
    const verifier = verifierOf(credentials, this.region, everyRegion);
    const queuesOf = keysQueues(this.#accounts, credentials);
    const service: Service = (request) => this.#answer(request, queuesOf(request));
    return signedService(verifier, service, refusal);
  }

  /** Synchronous, except for a receive that waits: a promise costs more than many actions. */
  #answer(request: ServiceRequest, queues: Queues): ServiceResponse | Promise<ServiceResponse> {
    const requestId = randomUUID();
    const protocol = protocolOf(request);
    const refuse = (error: unknown) => protocol.error(sqsErrorOf(error), requestId, request);
    const store = this.#store;
    if (store?.end) return refuse(unavailable(store.end));
    const answered = this.#answerUnkept(request, protocol, requestId, refuse, queues);
    if (store === undefined) return answered;
    const keep = (response: ServiceResponse) =>
      store.kept()?.then(
        () => response,
        (error) => refuse(unavailable(error)),
      ) ?? response;
    return answered instanceof Promise ? answered.then(keep) : keep(answered);
  }

  #answerUnkept(
    request: ServiceRequest,
    protocol: Protocol,
    requestId: string,
    refuse: (error: unknown) => ServiceResponse,
    queues: Queues,
  ): ServiceResponse | Promise<ServiceResponse> {
    try {
      const asked = protocol.read(request);
      const respond = (answer: Output | ReceivedMessages) => {
        if (!(answer instanceof ReceivedMessages)) {
          return protocol.response(answer, asked.action, requestId, request);
        }
        const { output, takeBack } = answer;
        const response = protocol.response(output, asked.action, requestId, request);
        return takeBack ? { ...response, undelivered: takeBack } : response;
      };
      const acted = this.#act(asked, request, queues);
      return acted instanceof Promise ? acted.then(respond).catch(refuse) : respond(acted);
    } catch (error) {
      return refuse(error);
    }
  }

  /**
   * A queue's messages in any state, the first sent first. This does not receive them.
   *
   * @param owner another account or region than its own
   */
  peek(queueName: string, owner: { accountId?: string; region?: string } = {}): PeekedMessage[] {
    const queue = this.#accounts.find({ ...this.#accounts.own.owner, ...owner })?.find(queueName);
    if (queue === undefined) {
      throw new FanfoldError('BadOption', `There is no queue named "${queueName}" to inspect.`);
    }
    return Array.from(queue.messages(this.#time.now), ({ draft, state, receiveCount, sentAt }) => ({
      messageId: draft.id,
      body: draft.body,
      state,
      receiveCount,
      sentAt: this.#time.shown(sentAt),
      messageGroupId: draft.groupId,
    }));
  }

  /**
   * Shows messages again whose receiver has died, as if their visibility timeout had ended.
   *
   * @param isOf whether an attempt to receive, by its id, was that receiver's
   */
  showReceivedBy(isOf: (attemptId: string) => boolean): void {
    const { now } = this.#time;
    for (const queues of this.#accounts.all()) {
      for (const queue of queues.withPrefix('')) {
        for (const message of queue.messages(now)) {
          const { state, attemptId = '' } = message;
          if (state !== 'inFlight' || !isOf(attemptId)) continue;
          queue.changeVisibility(queue.handleOf(message), 0, now);
        }
      }
    }
    this.#polls.serveChanged(now);
  }

  /**
   * Ends all waiting receives with an empty answer, and stops move tasks. Resolves once the store,
   * if any, is closed.
   */
  async close(): Promise<void> {
    this.#polls.close();
    this.#moves.close();
    await this.#store?.close();
  }

  #act(
    { action, parameters }: ActionRequest,
    request: ServiceRequest,
    queues: Queues,
  ): Output | ReceivedMessages | Promise<ReceivedMessages> {
    const act = ACTIONS.get(action);
    if (act === undefined) throw unknownAction(action);
    const { now } = this.#time;
    const scheme = request.secure ? 'https' : 'http';
    const origin = this.#url ?? `${scheme}://${hostOf(request)}`;
    try {
      return act({
        input: new Input(parameters),
        action,
        queues,
        accounts: this.#accounts,
        polls: this.#polls,
        moves: this.#moves,
        now,
        time: this.#time,
        urlOf: ({ owner, name }) => `${origin}/${owner.accountId}/${name}`,
        request,
      });
    } finally {
      this.#polls.serveChanged(now);
    }
  }
}

const REFUSALS: Record<SignatureFault, SqsErrorCode> = {
  missing: 'AccessDenied',
  unknownKey: 'InvalidClientTokenId',
  mismatch: 'SignatureDoesNotMatch',
  malformed: 'IncompleteSignature',
};

/** An error, in the protocol of a request. */
export function refusal(error: unknown, request: ServiceRequest): ServiceResponse {
  return protocolOf(request).error(sqsErrorOf(error), randomUUID(), request);
}

function sqsErrorOf(error: unknown): SqsError {
  if (error instanceof SqsError) return error;
  if (error instanceof SignatureError) return new SqsError(REFUSALS[error.fault], error.message);
  return fault(error);
}

/** An unforeseen error: reported as a process warning, not to the caller. */
function fault(error: unknown): SqsError {
  const detail = (error instanceof Error && error.stack) || String(error);
  process.emitWarning('A request failed because of a bug in the SQS emulator.', { detail });
  return new SqsError('InternalFailure', 'We encountered an internal error. Please try again.');
}

/** A change that could not be stored was not made either. */
function unavailable(reason: unknown): SqsError {
  const why = `The service could not store the change, and has undone it: ${messageOf(reason)}`;
  return new SqsError('ServiceUnavailable', why);
}

function originOf(url: string): string {
  const read = URL.parse(url);
  if (read && /^https?:$/.test(read.protocol) && read.href === `${read.origin}/`) {
    return read.origin;
  }
  throw new FanfoldError(
    'BadOption',
    `\`url\` must be like http://sqs.local:9324, with nothing after the port; got "${url}".`,
  );
}
