import type { Message, MessageState } from '../engine/message.ts';

/**
 * The states of messages, on their way to the thread that writes them, in one block: a copy of an
 * array for each of them costs this thread more, and a receive changes nothing else.
 */
export interface PackedStates {
  /** Of each message its number and its state's numbers, one message after the other. */
  readonly numbers: Float64Array;
  /** Where they were dead letters, by the messages' numbers: of few. */
  readonly sources: ReadonlyMap<number, string>;
}

/** By the first of a state's numbers; that is 0 where there is no state. */
const STATES: readonly (MessageState | undefined)[] = [undefined, 'visible', 'delayed', 'inFlight'];

/** How many numbers a message's state has. */
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
 * Reads a message's state, which begins at a place.
 *
 * @returns undefined where there is none
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
