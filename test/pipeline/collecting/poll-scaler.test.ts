import { expect, it } from 'vitest';
import { MOST_POLLS, PollScaler } from '../../../src/pipeline/collecting/poll-scaler.ts';
import { Random } from '../../../src/worlds/planned/random.ts';

interface Queue {
  /** From a poll's request to its response if a message is available, in milliseconds. */
  roundTripMs: number;
  /** Messages a second, at random times. */
  perSecond: number;
  /** Messages at the start. */
  backlog?: number;
  /** Maximum number of messages in a response. */
  most?: number;
  /** Characters in a message. */
  length?: number;
  /** Time that the consumer needs for a response, in milliseconds. */
  consumerMs?: number;
}

interface Poll {
  sentAt: number;
  wasPaced: boolean;
}

const LONG_POLL_MS = 20_000;

let clock = 0;

/** Polls a queue as a collector does, in steps of time; returns the state at each step. */
function poll(
  scaler: PollScaler,
  seconds: number,
  { roundTripMs, perSecond, backlog = 0, most = 10, length = 100, consumerMs = 0 }: Queue,
) {
  const stepMs = Math.min(1, roundTripMs / 4);
  const seen = { most: 0, least: Number.POSITIVE_INFINITY, polls: 0, messages: 0, backlog: 0 };
  const waiting: Poll[] = [];
  const answers: { at: number; messages: number; poll: Poll }[] = [];
  const random = new Random(1);
  let queued = backlog;
  const beganAt = clock;
  let lastPoll = Number.NEGATIVE_INFINITY;
  let busyUntil = 0;
  for (let now = beganAt; now < beganAt + seconds * 1000; now += stepMs) {
    if (random.chance((perSecond * stepMs) / 1000)) queued++;
    for (const poll of [...waiting]) {
      // Half a round trip for the request, half for the response.
      if (now < poll.sentAt + roundTripMs / 2) continue;
      const ended = now >= poll.sentAt + LONG_POLL_MS;
      if (queued < 1 && !ended) continue;
      const messages = Math.min(most, Math.floor(queued));
      queued -= messages;
      waiting.splice(waiting.indexOf(poll), 1);
      answers.push({ at: now + roundTripMs / 2, messages, poll });
    }
    while (busyUntil <= now && (answers[0]?.at ?? Number.POSITIVE_INFINITY) <= now) {
      const { at, messages, poll } = answers.shift() as (typeof answers)[number];
      const times = { at, tookMs: at - poll.sentAt, heldMs: now - at };
      scaler.answered({ messages, length: messages * length, ...times, wasPaced: poll.wasPaced });
      seen.messages += messages;
      busyUntil = now + consumerMs;
    }
    while (busyUntil <= now && waiting.length + answers.length < scaler.polls) {
      const sentAt = Math.max(now, lastPoll + scaler.paceMs);
      waiting.push({ sentAt, wasPaced: sentAt > now });
      lastPoll = sentAt;
      seen.polls++;
    }
    // The first second is the ramp.
    clock = now;
    if (now < beganAt + 1000) continue;
    seen.most = Math.max(seen.most, scaler.polls);
    seen.least = Math.min(seen.least, scaler.polls);
  }
  return { ...seen, backlog: queued };
}

const PLENTY = 1e9;

it('a poll scaler starts with one poll', () => {
  expect(new PollScaler().polls).toBe(1);
});

it.each([5, 60, 200])(
  'a poll scaler reaches its maximum if responses are full, at %i ms',
  (roundTripMs) => {
    const scaler = new PollScaler();
    const { messages, least } = poll(scaler, 10, { roundTripMs, perSecond: 0, backlog: PLENTY });
    expect(least).toBeGreaterThan(8);
    expect(scaler.polls).toBe(MOST_POLLS);
    expect(messages).toBeGreaterThan((0.8 * 10_000 * MOST_POLLS * 10) / roundTripMs);
  },
);

it.each([1, 2, 3])(
  'a poll scaler reaches its maximum if responses have only %i messages',
  (most) => {
    const scaler = new PollScaler();
    const queue = { roundTripMs: 60, perSecond: 0, backlog: PLENTY, most };
    const { messages, least } = poll(scaler, 10, queue);
    expect(least).toBeGreaterThan(5);
    expect(scaler.polls).toBe(MOST_POLLS);
    expect(messages).toBeGreaterThan((0.7 * 10_000 * MOST_POLLS * most) / 60);
  },
);

it.each([
  { roundTripMs: 60, perSecond: 200, most: 10 },
  { roundTripMs: 60, perSecond: 200, most: 1 },
  { roundTripMs: 60, perSecond: 250, most: 2 },
  { roundTripMs: 10, perSecond: 1000, most: 2 },
])(
  'a poll scaler keeps up with $perSecond messages a second, $most per response at $roundTripMs ms',
  (queue) => {
    const { roundTripMs, perSecond, most } = queue;
    const needed = (perSecond * roundTripMs) / 1000 / most;
    const scaler = new PollScaler();
    poll(scaler, 10, queue);
    const seen = poll(scaler, 30, queue);
    expect(seen.backlog).toBeLessThan(perSecond / 2);
    expect(seen.least).toBeGreaterThan(needed / 2);
    expect(seen.most).toBeLessThan(Math.max(3 * needed, 40));
  },
);

it('a poll scaler returns to one poll soon after the load ends', () => {
  const scaler = new PollScaler();
  poll(scaler, 10, { roundTripMs: 60, perSecond: 0, backlog: PLENTY, most: 2 });
  expect(scaler.polls).toBe(MOST_POLLS);
  poll(scaler, 45, { roundTripMs: 60, perSecond: 0.5 });
  expect(scaler.polls).toBe(1);
});

it.each([0.1, 2, 10])('a poll scaler uses few polls for %d messages a second', (perSecond) => {
  const seen = poll(new PollScaler(), 120, { roundTripMs: 60, perSecond });
  expect(seen.most).toBeLessThanOrEqual(5);
});

it.each([100, 1000])('a poll scaler gathers %i messages a second in process', (perSecond) => {
  const seen = poll(new PollScaler(), 30, { roundTripMs: 0.3, perSecond });
  expect(seen.polls).toBeLessThan(seen.messages / 2);
  expect(seen.backlog).toBeLessThan(perSecond / 10);
});

it('a poll scaler adapts to a slower network', () => {
  const scaler = new PollScaler();
  const queue = { perSecond: 0, backlog: PLENTY, most: 2 };
  poll(scaler, 10, { ...queue, roundTripMs: 40 });
  poll(scaler, 120, { ...queue, roundTripMs: 200 });
  expect(scaler.polls).toBe(MOST_POLLS);
});

it('a poll scaler uses fewer polls for large messages', () => {
  const scaler = new PollScaler();
  poll(scaler, 10, { roundTripMs: 60, perSecond: 0, backlog: PLENTY, length: 1_048_576 });
  expect(scaler.polls).toBe(1);
});

it('a poll scaler uses fewer polls for a slow consumer', () => {
  const scaler = new PollScaler();
  poll(scaler, 10, { roundTripMs: 60, perSecond: 0, backlog: PLENTY });
  const queue = { roundTripMs: 60, perSecond: 0, backlog: PLENTY, consumerMs: 2_000 };
  poll(scaler, 200, queue);
  expect(scaler.polls).toBeLessThanOrEqual(3);
});
