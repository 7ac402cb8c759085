import { invalidValue } from '../errors.ts';
import type { Message } from './message.ts';
import type { Messages } from './messages.ts';
import { invalidHandle, type Receipt, readHandle, writeHandle } from './receipt.ts';

/** The receipt handles of one queue: creates them, and finds their messages. */
export class Receipts {
  readonly #queueUid: string;
  readonly #isFifo: boolean;
  readonly #messages: Messages;

  constructor(queueUid: string, isFifo: boolean, messages: Messages) {
    this.#queueUid = queueUid;
    this.#isFifo = isFifo;
    this.#messages = messages;
  }

  /** The handle of a message's latest receive. */
  handleOf({ number, receipt }: Message): string {
    return writeHandle(this.#queueUid, number, receipt);
  }

  /** The message whose latest receive returned the handle, if it is still there. */
  find(handle: string): Message | undefined {
    return this.#messages.ofReceipt(this.#read(handle));
  }

  /** On a FIFO queue, the message or its group may have another receiver after the timeout. */
  findUsable(handle: string): Message | undefined {
    const message = this.find(handle);
    if (!this.#isFifo || message?.state === 'inFlight') return message;
    if (this.#messages.get(this.#read(handle).number) === undefined) return undefined;
    throw invalidValue('ReceiptHandle', handle, 'The receipt handle has expired.');
  }

  /** On a standard queue, SQS accepts the handle of any receive, as recorded from AWS. */
  findToHide(handle: string): Message | undefined {
    return this.#isFifo ? this.findUsable(handle) : this.#messages.get(this.#read(handle).number);
  }

  #read(handle: string): Receipt {
    const receipt = readHandle(this.#queueUid, handle);
    if (this.#messages.mayHaveIssued(receipt)) return receipt;
    throw invalidHandle(handle);
  }
}
