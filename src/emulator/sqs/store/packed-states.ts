import type { Message, MessageState } from '../engine/message.ts';

/**
 * The states of messages on their way to the writer thread, in one block. To copy an array for each
 * message would cost the main thread more, and a receive changes nothing else.
 */
export interface PackedStates {
  /** For each message its number, followed by the numbers of its state. */
  readonly numbers: Float64Array;
  /** ARNs of dead-letter sources by message number. Few messages have one. */
  readonly sources: ReadonlyMap<number, string>;
}

/** States by the first of a state's numbers, which is 0 for a message without a state. */
const STATES: readonly (MessageState | undefined)[] = [undefined, 'visible', 'delayed', 'inFlight'];

/** Length of a message's state, in numbers. */
export const STATE_NUMBERS = 8;

export const PACKED_NUMBERS = 1 + STATE_NUMBERS;

export type State = Pick<
  Message,
  | 'number'
  | 'state'
  | 'stateEndsAt'
  | 'receiveCount'
  | 'receivedHere'
  | 'receipt'
  | 'firstReceivedAt'
  | 'receivedAt'
  | 'keptSince'
  | 'deadLetterSourceArn'
>;

export function packStates(states: readonly State[]): PackedStates {
  const numbers = new Float64Array(states.length * PACKED_NUMBERS);
  const sources = new Map<number, string>();
  for (const [place, one] of states.entries()) {
    const first = place * PACKED_NUMBERS;
    numbers[first] = one.number;
    numbers[first + 1] = STATES.indexOf(one.state);
    numbers[first + 2] = one.stateEndsAt;
    numbers[first + 3] = one.receiveCount;
    numbers[first + 4] = one.receivedHere;
    numbers[first + 5] = one.receipt;
    numbers[first + 6] = one.firstReceivedAt;
    numbers[first + 7] = one.receivedAt;
    numbers[first + 8] = one.keptSince;
    const { deadLetterSourceArn } = one;
    if (deadLetterSourceArn !== undefined) sources.set(one.number, deadLetterSourceArn);
  }
  return { numbers, sources };
}

/**
 * Reads a message's state, which starts at the index `first`.
 *
 * @returns undefined if the message has no state
 */
export function unpackState(
  number: number,
  numbers: Float64Array,
  first: number,
  deadLetterSourceArn: string | undefined,
): State | undefined {
  const at = (place: number) => numbers[first + place] ?? 0;
  const state = STATES[at(0)];
  if (state === undefined) return undefined;
  return {
    number,
    state,
    stateEndsAt: at(1),
    receiveCount: at(2),
    receivedHere: at(3),
    receipt: at(4),
    firstReceivedAt: at(5),
    receivedAt: at(6),
    keptSince: at(7),
    deadLetterSourceArn,
  };
}
