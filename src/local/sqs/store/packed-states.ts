import type { Message, MessageState } from '../engine/message.ts';
import type { Value } from './rows.ts';

/**
 * The states of messages, on their way to the thread that writes them, in one block: a copy of an
 * array for each of them costs this thread more, and a receive changes nothing else.
 */
export interface PackedStates {
  /** So many of each message, one message after the other. */
  readonly numbers: Float64Array;
  /** Where they were dead letters, by the messages' places: of few. */
  readonly sources: ReadonlyMap<number, string>;
}

const STATES: readonly MessageState[] = ['visible', 'delayed', 'inFlight'];

const NUMBERS = 9;

export function packStates(messages: readonly Message[]): PackedStates {
  const numbers = new Float64Array(messages.length * NUMBERS);
  const sources = new Map<number, string>();
  for (const [place, message] of messages.entries()) {
    const first = place * NUMBERS;
    numbers[first] = message.number;
    numbers[first + 1] = STATES.indexOf(message.state);
    numbers[first + 2] = message.stateEndsAt;
    numbers[first + 3] = message.receiveCount;
    numbers[first + 4] = message.receivedHere;
    numbers[first + 5] = message.receipt;
    numbers[first + 6] = message.firstReceivedAt;
    numbers[first + 7] = message.receivedAt;
    numbers[first + 8] = message.keptSince;
    const { deadLetterSourceArn } = message;
    if (deadLetterSourceArn !== undefined) sources.set(place, deadLetterSourceArn);
  }
  return { numbers, sources };
}

/** The rows of the table `states`, without their checksums. */
export function* stateRows({ numbers, sources }: PackedStates): Generator<Value[], void> {
  for (let place = 0; place * NUMBERS < numbers.length; place++) {
    const [number = 0, state = 0, ...more] = numbers.subarray(
      place * NUMBERS,
      (place + 1) * NUMBERS,
    );
    yield [number, STATES[state] ?? null, ...more, sources.get(place) ?? null];
  }
}
