import { SqsError } from '../errors.ts';

/** The content of a receipt handle: the number of a message, and the number of its receive. */
export interface Receipt {
  readonly number: number;
  readonly receive: number;
}

/** The handle of one receive of one message. Opaque to clients, and different each time. */
export function writeHandle(queueUid: string, number: number, receive: number): string {
  return `${queueUid}/${number.toString(36)}/${receive.toString(36)}`;
}

/** Reads a handle of this queue; refuses any other text. */
export function readHandle(queueUid: string, handle: string): Receipt {
  const [uid, number = '', receive = '', ...rest] = handle.split('/');
  const receipt = { number: parse36(number), receive: parse36(receive) };
  if (uid === queueUid && rest.length === 0 && receipt.number > 0 && receipt.receive > 0) {
    return receipt;
  }
  throw invalidHandle(handle);
}

export function invalidHandle(handle: string): SqsError {
  return new SqsError(
    'ReceiptHandleIsInvalid',
    `The input receipt handle "${handle}" is not a valid receipt handle.`,
  );
}

/** Each number has one text: with leading zeros, it would be another handle. */
function parse36(text: string): number {
  return /^[1-9a-z][0-9a-z]{0,9}$/.test(text) ? Number.parseInt(text, 36) : 0;
}
