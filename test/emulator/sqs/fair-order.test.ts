import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Draft } from '../../../src/emulator/sqs/engine/message.ts';
import { Queue } from '../../../src/emulator/sqs/engine/queue.ts';

const draft = (groupId: string): Draft => ({
  id: groupId,
  body: groupId,
  bodyMd5: undefined,
  attributes: new Map(),
  attributesMd5: undefined,
  systemAttributesMd5: undefined,
  traceHeader: undefined,
  groupId,
  deduplicationId: undefined,
  senderId: '000000000000',
  delaySeconds: undefined,
});

interface Run {
  group: string;
  messages: number;
}

/**
 * Lets workers receive one message after another until the queue is empty; they take some milliseconds
 * for each.
 * @returns the groups of the messages in the order in which they were received
 */
function work(runs: Run[], workers: number, durationMs: () => number): string[] {
  let now = 1_000_000;
  const identity = {
    name: 'q',
    arn: 'q',
    uid: 'q',
    owner: { accountId: '000000000000', region: 'us-east-1' },
    isFifo: false,
    memorySeconds: 0,
    changes: undefined,
  };
  const queue = new Queue(identity, { deadLetterQueue: () => undefined, onChange() {} }, now);
  for (const { group, messages } of runs) {
    for (let sent = 0; sent < messages; sent++) queue.send(draft(group), now);
  }
  const request = { maxMessages: 1, visibilitySeconds: 43_200, attemptId: undefined };
  const taken: string[] = [];
  const atWork: { handle: string; endsAt: number }[] = [];
  for (;;) {
    while (atWork.length < workers) {
      const [message] = queue.receive(request, now);
      if (message === undefined) break;
      taken.push(message.draft.body);
      atWork.push({ handle: message.handle, endsAt: now + durationMs() });
    }
    const first = atWork.sort((one, other) => one.endsAt - other.endsAt).shift();
    if (first === undefined) return taken;
    now = first.endsAt;
    queue.delete(first.handle, now);
  }
}

/** Durations of a few workers: from 10 ms to a minute, one up to three times as long as another. */
const durations = fc.record({
  factors: fc.infiniteStream(fc.double({ min: 1, max: 3, noNaN: true })),
  baseMs: fc.integer({ min: 10, max: 20_000 }),
});
const workers = fc.integer({ min: 1, max: 6 });

interface Durations {
  factors: Iterator<number, number | undefined>;
  baseMs: number;
}

const drawn =
  ({ factors, baseMs }: Durations) =>
  () =>
    Math.round((factors.next().value ?? 1) * baseMs);

describe('runs on one queue', () => {
  it('a small run finishes long before a large one', () => {
    fc.assert(
      fc.property(workers, durations, fc.boolean(), (count, lasting, first) => {
        const runs = [
          { group: 'large', messages: 1_000 },
          { group: 'small', messages: 20 },
        ];
        const taken = work(first ? runs : runs.reverse(), count, drawn(lasting));
        expect(taken).toHaveLength(1_020);
        expect(taken.lastIndexOf('small')).toBeLessThan(80);
      }),
      { numRuns: 30 },
    );
  });

  it('two large runs share evenly all the time', () => {
    const WINDOW = 60;
    fc.assert(
      fc.property(workers, durations, (count, lasting) => {
        const runs = ['one', 'other'].map((group) => ({ group, messages: 300 }));
        const taken = work(runs, count, drawn(lasting));
        // Runs until one of them has no waiting messages left.
        const end = Math.min(taken.lastIndexOf('one'), taken.lastIndexOf('other'));
        for (let at = 0; at + WINDOW < end; at++) {
          const ones = taken.slice(at, at + WINDOW).filter((group) => group === 'one').length;
          expect(ones / WINDOW).toBeGreaterThan(0.35);
          expect(ones / WINDOW).toBeLessThan(0.65);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('three runs share evenly', () => {
    const taken = work(
      [
        { group: 'one', messages: 400 },
        { group: 'other', messages: 400 },
        { group: 'third', messages: 400 },
      ],
      3,
      () => 1_000,
    );
    const shares = ['one', 'other', 'third'].map(
      (group) => taken.slice(0, 900).filter((each) => each === group).length,
    );
    for (const share of shares) expect(share).toBeCloseTo(300, -1.5);
  });
});
