import { invalidValue, SqsError } from '../errors.ts';
import type { Message } from './message.ts';
import type { Messages, Receipt } from './messages.ts';

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

/** The handle of one receive of one message. Opaque to clients, and different each time. */
function writeHandle(queueUid: string, number: number, receive: number): string {
  return `${queueUid}/${number.toString(36)}/${receive.toString(36)}`;
}

/** Reads a handle of this queue; refuses any other text. */
function readHandle(queueUid: string, handle: string): Receipt {
  const [uid, number = '', receive = '', ...rest] = handle.split('/');
  const receipt = { number: parse36(number), receive: parse36(receive) };
  if (uid === queueUid && rest.length === 0 && receipt.number > 0 && receipt.receive > 0) {
    return receipt;
  }
  throw invalidHandle(handle);
}

function invalidHandle(handle: string): SqsError {
  return new SqsError(
    'ReceiptHandleIsInvalid',
    `The input receipt handle "${handle}" is not a valid receipt handle.`,
  );
}

/** Each number has one text: with leading zeros, it would be another handle. */
function parse36(text: string): number {
  return /^[1-9a-z][0-9a-z]{0,9}$/.test(text) ? Number.parseInt(text, 36) : 0;
}

const FIRST = 18_849_496_460_467_696_128n;
const STEP = 256n;

/** A FIFO message's SequenceNumber in AWS's form: 20 digits, increasing by multiples of 256. */
export function sequenceNumberOf(number: number): string {
  return String(FIRST + BigInt(number) * STEP);
}
