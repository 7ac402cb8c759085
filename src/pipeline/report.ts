import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { ResultDraft } from './result-message.ts';

/**
 * A report is sent when it has so many characters, which are at most three times as many bytes: to
 * count those would cost as much as to make the line. SQS bills by 64 KB, so larger saves nothing.
 */
const REPORT_LENGTH = 262_144;
/** Or when its oldest result has waited so long, so that a slow chunk is seen to advance. */
const REPORT_MS = 500;

/** The results of one chunk on their way to its run's queue, many a message, while it is worked on. */
export class Report {
  /** Indexes whose results SQS has accepted. */
  readonly accepted: number[] = [];
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #runId: string;
  readonly #worker: string;
  readonly #onError: () => void;
  readonly #sending = new Set<Promise<void>>();
  #draft = new ResultDraft();
  #length = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #error: unknown;

  /** @param onError called when a report cannot be sent; `finish` throws that error */
  constructor(
    sqs: SQSClient,
    to: { resultQueueUrl: string; runId: string },
    worker: string,
    onError: () => void,
  ) {
    this.#sqs = sqs;
    this.#queueUrl = to.resultQueueUrl;
    this.#runId = to.runId;
    this.#worker = worker;
    this.#onError = onError;
  }

  add(index: number, line: string, ok: boolean): void {
    if (this.#length + line.length > REPORT_LENGTH) this.#send();
    this.#draft.add(index, line, ok);
    this.#length += line.length + 2;
    this.#timer ??= setTimeout(() => this.#send(), REPORT_MS);
  }

  /** Ends when SQS has accepted all results; throws when it has not. */
  async finish(): Promise<void> {
    this.#send();
    await Promise.all(this.#sending);
    if (this.#error !== undefined) throw this.#error;
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#draft.indexes.length === 0) return;
    const { indexes } = this.#draft;
    const body = this.#draft.body(this.#runId, this.#worker);
    this.#draft = new ResultDraft();
    this.#length = 0;
    const sent = this.#sqs
      .send(new SendMessageCommand({ QueueUrl: this.#queueUrl, MessageBody: body }))
      .then(
        () => {
          for (const index of indexes) this.accepted.push(index);
        },
        (error: unknown) => {
          this.#error ??= error;
          this.#onError();
        },
      )
      .finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
  }
}
