import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Unfinished } from '../../../src/pipeline/collecting/unfinished.ts';
import type { IndexRange } from '../../../src/pipeline/messages/result-message.ts';
import { RunLedger } from '../../../src/pipeline/run/ledger.ts';

/** The ledger of a run that another process seeds. */
function openLedger(): RunLedger {
  const ledger = new RunLedger();
  ledger.open();
  return ledger;
}

const REFUSED = [-1, 0.5, Number.NaN, 1e9, 2 ** 31, 4_294_967_294, 2 ** 32 + 5, 2 ** 53, 1e300];

describe('the ledger', () => {
  it('refuses indexes that no run can have, and marks no other input by them', () => {
    const known = new RunLedger();
    known.expect(10);
    for (const ledger of [openLedger(), known]) {
      for (const index of REFUSED) {
        expect(ledger.enter(index, 'ok')).toBe(false);
        expect(ledger.enterAllOk([[index, index]])).toBe(false);
        expect(ledger.has(index)).toBe(false);
      }
      expect(ledger.has(5)).toBe(false);
      expect(ledger.enterAllOk([[0, 4_294_967_294]])).toBe(false);
      expect(ledger.snapshot()).toMatchObject({ ok: 0, duplicates: 0 });
      expect(ledger.bytes).toBe(0);
    }
  });

  it('uses memory for the number of results, not for the distance of their indexes', () => {
    const ledger = openLedger();
    const rss = process.memoryUsage().rss;
    for (const index of [0, 999_999_999, 500_000_000]) expect(ledger.enter(index, 'ok')).toBe(true);
    expect(ledger.bytes).toBe(3 * 8_192);
    expect(process.memoryUsage().rss - rss).toBeLessThan(50_000_000);
  });

  it('adds no inputs to an open run for results, and balances once it is sealed', () => {
    const ledger = openLedger();
    ledger.enter(999_999_999, 'failed');
    ledger.enter(3, 'ok');
    ledger.enterAllOk([[0, 2]]);
    expect(ledger.snapshot()).toMatchObject({ inputs: 5, ok: 4, failed: 1, sealed: false });
    ledger.seal(4);
    expect(ledger.balanced).toBe(true);
    expect(ledger.snapshot()).toMatchObject({ inputs: 4, ok: 4, failed: 0, sealed: true });
    expect(ledger.has(999_999_999)).toBe(false);
  });

  it('drops results at or above a bound that is learned late', () => {
    const ledger = openLedger();
    ledger.enter(70_000, 'ok');
    ledger.enter(100, 'failed');
    ledger.limit(100);
    expect(ledger.settled).toBe(0);
    expect(ledger.enter(100, 'ok')).toBe(false);
    expect(ledger.enter(99, 'ok')).toBe(true);
  });

  it('agrees with a plain map for any entries before and after it is sealed', () => {
    const index = fc.oneof(
      { weight: 8, arbitrary: fc.nat(40) },
      { weight: 1, arbitrary: fc.constantFrom(...REFUSED) },
      { weight: 1, arbitrary: fc.integer({ min: 41, max: 999_999_999 }) },
    );
    const one = fc.record({ index, status: fc.constantFrom('ok' as const, 'failed' as const) });
    const ranges = fc.array(
      fc.tuple(fc.nat(40), fc.nat(6)).map(([first, more]): IndexRange => [first, first + more]),
      { minLength: 1, maxLength: 3 },
    );
    const entries = fc.array(fc.oneof(one, ranges), { maxLength: 30 });
    fc.assert(
      fc.property(entries, fc.nat(45), entries, (before, total, after) => {
        const ledger = openLedger();
        const model = new Map<number, string>();
        const enter = (entry: (typeof before)[number], limit: number) => {
          if (!('length' in entry)) {
            const { index, status } = entry;
            const fits = Number.isInteger(index) && index >= 0 && index < limit;
            const fresh = fits && !model.has(index);
            expect(ledger.enter(index, status)).toBe(fresh);
            if (fresh) model.set(index, status);
            return;
          }
          const all = entry.flatMap(([first, last]) =>
            Array.from({ length: last - first + 1 }, (_, at) => first + at),
          );
          const fresh = all.every((index) => index < limit && !model.has(index));
          const once = new Set(all).size === all.length;
          expect(ledger.enterAllOk(entry)).toBe(fresh && once);
          if (fresh && once) for (const index of all) model.set(index, 'ok');
        };
        for (const entry of before) enter(entry, 1_000_000_000);
        ledger.seal(total);
        for (const index of model.keys()) if (index >= total) model.delete(index);
        for (const entry of after) enter(entry, total);
        const count = (status: string) => [...model.values()].filter((s) => s === status).length;
        expect(ledger.snapshot()).toMatchObject({
          inputs: total,
          ok: count('ok'),
          failed: count('failed'),
        });
        expect(ledger.balanced).toBe(model.size === total);
        for (let index = 0; index <= 50; index++) expect(ledger.has(index)).toBe(model.has(index));
      }),
    );
  });
});

describe('a run that ends before its number of inputs is known', () => {
  it('reports no input as lost for a single result with a high index', () => {
    const ledger = openLedger();
    ledger.enterAllOk([[0, 5]]);
    ledger.enter(8, 'ok');
    ledger.enter(999_999_999, 'ok');
    const remaining = new Unfinished(ledger, 'lost', ledger.sealUnknown(0));
    const lines = [...remaining.batches()].flatMap((batch) => batch.lines);
    expect(lines.map(({ index }) => index)).toEqual([6, 7]);
    expect(ledger.balanced).toBe(true);
    expect(ledger.snapshot()).toMatchObject({ inputs: 10, ok: 8, failed: 2 });
  });

  it('reports at most one input as lost for each result, and every known input', () => {
    const indexes = fc.uniqueArray(
      fc.oneof(fc.nat(60), fc.nat(2_000), fc.integer({ min: 0, max: 999_999_999 })),
    );
    fc.assert(
      fc.property(indexes, fc.nat(30), (some, known) => {
        const ledger = openLedger();
        for (const index of some) ledger.enter(index, 'ok');
        const end = ledger.sealUnknown(known);
        const remaining = new Unfinished(ledger, 'lost', end);
        const lost = [...remaining.batches()].flatMap((batch) => batch.lines);
        expect(lost.length).toBeLessThanOrEqual(Math.max(known, some.length));
        for (let index = 0; index < known; index++) expect(ledger.has(index)).toBe(true);
        expect(ledger.balanced).toBe(true);
        expect(ledger.inputs).toBe(some.length + lost.length);
      }),
    );
  });
});
