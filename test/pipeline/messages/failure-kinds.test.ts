import { expect, it } from 'vitest';
import type { FailureCode } from '../../../src/index.ts';
import { FailureKinds } from '../../../src/pipeline/messages/failure-kinds.ts';

function failed(index: number, message: string, code: FailureCode = 'TaskFailed') {
  const name = code === 'TaskFailed' ? 'Error' : code;
  const error = { code, name, message, attempts: 1 };
  return { index, status: 'failed', error, ms: 1, worker: 'w' } as const;
}

function kindsOf(messages: readonly string[]): FailureKinds {
  const kinds = new FailureKinds();
  for (const [index, message] of messages.entries()) kinds.add(failed(index, message));
  return kinds;
}

it('failures that differ in numbers alone are one kind, with the first input as its example', () => {
  const kinds = new FailureKinds();
  for (const index of [3, 1, 5]) kinds.add(failed(index, `odd ${index}`));
  kinds.add(failed(7, 'took longer than 30 s', 'TimedOut'));
  expect(kinds.linesOf()).toEqual([
    '3 failed, such as input 1: TaskFailed: Error: odd N',
    '1 failed, input 7: TimedOut: took longer than 30 s',
  ]);
  expect(kinds.codes).toEqual([
    ['TaskFailed', 3],
    ['TimedOut', 1],
  ]);
});

it.each([
  ['HTTP 429', 'HTTP 429', 'HTTP 429'],
  ['took 1,200.5 ms', 'took 7 ms', 'took N ms'],
  ['connect 10.0.0.1:80', 'connect 10.0.12.9:8080', 'connect N'],
  [
    'request 0b0c47a5-1de0-4f5b-9c7a-5b3a3f6f0001 failed',
    'request f1d2d2f9-24e9-86ac-86fd-f7b36c94bcdf failed',
    'request N failed',
  ],
  ['object 00ff00ff00ff', 'object dead1beefcafe', 'object N'],
])('"%s" and "%s" are shown as "%s"', (one, other, shown) => {
  expect(kindsOf([one, other]).linesOf()).toEqual([
    `2 failed, such as input 0: TaskFailed: Error: ${shown}`,
  ]);
});

it('the code and the name tell kinds apart', () => {
  const kinds = kindsOf(['same']);
  kinds.add(failed(1, 'same', 'TimedOut'));
  const error = { code: 'TaskFailed', name: 'TypeError', message: 'same', attempts: 1 } as const;
  kinds.add({ index: 2, status: 'failed', error, ms: 1, worker: 'w' });
  expect(kinds.linesOf()).toHaveLength(3);
});

it('at most three kinds are shown', () => {
  const messages = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'g'];
  const lines = kindsOf(messages).linesOf();
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain('2 failed, such as input 6: TaskFailed: Error: g');
  expect(lines.at(-1)).toBe('and 4 more kinds of failure');
});

it('20,000 different messages are not all kept, and do not hide the frequent ones', () => {
  const letters = (number: number) =>
    String(number).replace(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)));
  const kinds = new FailureKinds();
  for (let index = 0; index < 20_000; index++) {
    const isFrequent = index > 10_000 && index % 10 === 0;
    kinds.add(failed(index, isFrequent ? 'frequent' : letters(index)));
  }
  expect(kinds.codes).toEqual([['TaskFailed', 20_000]]);
  // Its count may be too small: it may have been forgotten before.
  expect(kinds.linesOf()[0]).toContain('at least 999 failed, such as input 10010');
  expect(kinds.linesOf().at(-1)).toMatch(/^and at least 1?\d\d more kinds of failure$/);
});
