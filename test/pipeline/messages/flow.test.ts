import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type Bounds,
  checkBounds,
  type Flow,
  flowOf,
  isFlow,
  pauseOf,
  replacing,
  widthOf,
} from '../../../src/pipeline/messages/flow.ts';
import { laneChunkItems, laneOfTurn } from '../../../src/pipeline/messages/lane-chunks.ts';
import type { RateText } from '../../../src/pipeline/messages/rate.ts';
import { readChunk } from '../../../src/pipeline/messages/read-chunk.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { paceOf } from '../../../src/pipeline/working/pace.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000 };

const rate = fc
  .record({ count: fc.integer({ min: 1, max: 500 }), unit: fc.constantFrom('s', 'm', 'h') })
  .map(({ count, unit }) => ({
    count,
    windowMs: UNIT_MS[unit as 's'] * 10,
    text: `${count}/${unit}` as RateText,
  }));

const bounds: fc.Arbitrary<Bounds> = fc.record({
  concurrency: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
  rate: fc.option(
    rate.map(({ text }) => text),
    { nil: undefined },
  ),
});

const each = fc.integer({ min: 1, max: 20 });

function lanesOf(flow: Flow): number[] {
  return Array.from({ length: flow.lanes }, (_, lane) => lane);
}

describe('a flow', () => {
  it('is valid, and its chunks have inputs, whatever its bounds are', () => {
    fc.assert(
      fc.property(bounds, fc.integer({ min: 1, max: 400 }), each, (one, workers, atOnce) => {
        const flow = flowOf(one, workers, atOnce);
        if (flow === undefined) return one.concurrency === undefined && one.rate === undefined;
        const items = laneChunkItems(flow, 1_000_000, atOnce, workers);
        return isFlow(flow) && items >= 1 && items <= 1_000;
      }),
    );
  });

  it('shares its concurrency out completely, and leaves no lane without', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), each, (concurrency, width) => {
        const flow = { lanes: Math.ceil(concurrency / width), width, concurrency };
        const widths = lanesOf(flow).map((lane) => widthOf(flow, lane, 1_000));
        expect(widths.reduce((sum, one) => sum + one, 0)).toBe(concurrency);
        expect(Math.min(...widths)).toBeGreaterThan(0);
      }),
    );
  });

  it('uses its concurrency completely if each worker runs as many as its seed expected', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), each, (concurrency, atOnce) => {
        const flow = flowOf({ concurrency }, 10, atOnce) as Flow;
        const widths = lanesOf(flow).map((lane) => widthOf(flow, lane, atOnce));
        const sum = widths.reduce((before, width) => before + width, 0);
        // Without a narrow lane if the workers can't reach it.
        expect(sum).toBeLessThanOrEqual(concurrency);
        expect(sum).toBeGreaterThanOrEqual(Math.min(concurrency, 10 * atOnce));
      }),
    );
  });

  it('has no lane that is wider than under a larger concurrency', () => {
    fc.assert(
      fc.property(bounds, bounds, fc.nat(200), each, (one, other, lane, atOnce) => {
        const [least = 0, most = 0] = [one, other]
          .map(({ concurrency = 1 }) => concurrency)
          .sort((some, others) => some - others)
          .map((concurrency) => {
            const flow = flowOf({ ...other, concurrency }, 10, atOnce) as Flow;
            return lane < flow.lanes ? widthOf(flow, lane, 1_000) : 0;
          });
        // With a rate, there may be fewer lanes.
        if (most > 0) expect(least).toBeLessThanOrEqual(most);
      }),
    );
  });

  it('gives each lane as many chunks as its width is of all', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), each, (concurrency, atOnce) => {
        const flow = flowOf({ concurrency }, 10, atOnce) as Flow;
        const turns = Array.from({ length: 12 * flow.lanes }, (_, turn) => laneOfTurn(flow, turn));
        for (const lane of lanesOf(flow)) {
          const share = (turns.length * widthOf(flow, lane, atOnce)) / concurrency;
          const count = turns.filter((one) => one === lane).length;
          expect(Math.abs(count - share)).toBeLessThan(2);
        }
      }),
    );
  });

  it('lets workers run as many inputs at once as without bounds, if it allows more', () => {
    fc.assert(
      fc.property(each, fc.integer({ min: 1, max: 20 }), fc.nat(100), (atOnce, workers, more) => {
        const flow = flowOf({ concurrency: atOnce * workers + more }, workers, atOnce) as Flow;
        const inputs = atOnce * workers * 3;
        const items = laneChunkItems(flow, inputs, atOnce, workers);
        const chunks = Math.ceil(inputs / items);
        const lanes = Array.from({ length: chunks }, (_, turn) => laneOfTurn(flow, turn));
        expect(lanes.every((lane) => widthOf(flow, lane, atOnce) === atOnce)).toBe(true);
        // Each worker has a chunk, in a lane of its own, and each chunk fills its worker.
        expect(new Set(lanes.slice(0, workers)).size).toBe(workers);
        if (atOnce > 1) expect(items).toBe(atOnce * 3);
      }),
    );
  });

  it('shares its rate out so that the lanes use at least 95 % of it', () => {
    fc.assert(
      fc.property(rate, fc.nat(), ({ text, count, windowMs }, drawn) => {
        const flow = { lanes: 1 + (drawn % (count * 10)), rate: text };
        const starts = lanesOf(flow).reduce((sum, lane) => sum + windowMs / pauseOf(flow, lane), 0);
        expect(starts).toBeLessThan(count * 10);
        expect(starts).toBeGreaterThan(count * 10 * 0.95);
      }),
    );
  });
});

it('no starts of all lanes, however late and in however many chunks, exceed the rate in a window', () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const late = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 }), fc.nat({ max: 2_000 }));
  const steps = fc.array(fc.record({ late, isNewChunk: fc.boolean() }), { minLength: 1 });
  const paced = rate.filter(({ windowMs, count }) => windowMs / count / 10 <= 5_000);
  fc.assert(
    fc.property(paced, fc.integer({ min: 1, max: 40 }), steps, (one, workers, history) => {
      const { text, count, windowMs } = one;
      const flow = flowOf({ rate: text }, workers, 1) as Flow;
      const starts = lanesOf(flow).flatMap((lane) => {
        now = 0;
        let pace = paceOf({ flow, lane });
        const times: number[] = [];
        for (let at = lane; now < windowMs * 2 && times.length < 2_000; at++) {
          const { late: lateMs = 0, isNewChunk = false } = history[at % history.length] ?? {};
          if (isNewChunk) pace = paceOf({ flow, lane });
          now += (pace?.waitMs ?? 0) + lateMs;
          pace?.started();
          times.push(now);
        }
        return times;
      });
      starts.sort((some, others) => some - others);
      const most = count * 10;
      const isKept = (at: number, first: number) =>
        (starts[first + most] ?? Number.POSITIVE_INFINITY) - at >= windowMs;
      expect(starts.every(isKept)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

it.each([
  '0/s',
  '-1/s',
  '100/x',
  '100',
  '1e3/s',
  '/s',
  ' 1/s',
  '0.5/h',
  '0.01/m',
  '100001/s',
  '0.05/s',
  5,
  null,
  Number.NaN,
])('the rate %j is refused, with the form of a valid one', (text) => {
  expect(() => checkBounds({ rate: text as RateText })).toThrow(
    expect.objectContaining({
      code: 'BadOption',
      message: expect.stringMatching(/rate must.*got/),
    }),
  );
});

it.each(['1/h', '0.5/s', '100/s', '20/m', '100000/s'])('the rate %j is accepted', (text) => {
  expect(() => checkBounds({ rate: text as RateText })).not.toThrow();
});

it.each([0, -1, 1.5, 100_001, Number.NaN, '5'])('the concurrency %j is refused', (concurrency) => {
  expect(() => checkBounds({ concurrency: concurrency as number })).toThrow(
    expect.objectContaining({ code: 'BadOption' }),
  );
});

describe('a worker that reads a chunk', () => {
  const read = (flow: unknown) => {
    const now = Date.now();
    const runId = newRunId(now);
    const facts = { v: 2, runId, task: 'work', attempt: 1, expiresAt: now + 1_000, results: 'own' };
    const taskQueueUrl = 'http://localhost/000000000000/it-tasks';
    return readChunk(JSON.stringify({ ...facts, flow, items: [[0, 1]] }), { taskQueueUrl, now });
  };

  it('takes the flow of a seed', () => {
    const flow = { lanes: 2, concurrency: 4, rate: '10/s' };
    expect(read(flow).flow).toEqual(flow);
  });

  it.each([
    ['lanes that are no number', { lanes: 'many', concurrency: 4 }],
    ['no lane', { lanes: 0, concurrency: 4 }],
    ['no bound', { lanes: 2 }],
    ['more lanes than its concurrency', { lanes: 5, concurrency: 4 }],
    ['more lanes than starts', { lanes: 20, rate: '1/s' }],
    ['a rate of 0', { lanes: 1, rate: '0/s' }],
    ['a rate without unit', { lanes: 1, rate: '100' }],
    ['no concurrency', { lanes: 1, concurrency: 0 }],
    ['an unknown field', { lanes: 1, concurrency: 1, more: 1 }],
    ['no object', 'lanes=1 concurrency=1'],
    ['nothing', null],
  ])('refuses a forged flow: %s', (_, flow) => {
    expect(() => read(flow)).toThrow(expect.objectContaining({ code: 'BadMessage' }));
  });
});

describe('a flow that replaces another one', () => {
  const two: Flow = { lanes: 2, rate: '10/s' };

  it('has a time if the starts in its lanes add up with those in other ones', () => {
    expect(replacing(two, { lanes: 3, rate: '10/s' }, 5)).toMatchObject({ since: 5 });
    const later = { lanes: 3, rate: '20/s', concurrency: 3 } as const;
    expect(replacing({ ...later, since: 5 }, later, 6)).toMatchObject({ since: 5 });
  });

  it('has none if nothing adds up', () => {
    for (const before of [undefined, 'none', two, { lanes: 3, concurrency: 3 }] as const) {
      expect(replacing(before, two, 5)).toEqual(two);
    }
    expect(replacing(two, undefined, 5)).toBe('none');
  });
});
