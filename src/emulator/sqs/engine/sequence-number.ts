const FIRST = 18_849_496_460_467_696_128n;
const STEP = 256n;

/** A FIFO message's SequenceNumber in AWS's form: 20 digits, increasing by multiples of 256. */
export function sequenceNumberOf(number: number): string {
  return String(FIRST + BigInt(number) * STEP);
}
