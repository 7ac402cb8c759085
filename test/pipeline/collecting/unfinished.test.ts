import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Unfinished } from '../../../src/pipeline/collecting/unfinished.ts';
import { RunLedger } from '../../../src/pipeline/run/ledger.ts';

it('unfinished inputs get a result each, merged with the others in order', () => {
  const inputs = fc.integer({ min: 0, max: 200 });
  const scenario = inputs.chain((count) =>
    fc.tuple(fc.constant(count), fc.uniqueArray(fc.nat(Math.max(0, count - 1)))),
  );
  fc.assert(
    fc.property(scenario, ([count, some]) => {
      const ledger = new RunLedger();
      ledger.expect(count);
      const done = some.filter((index) => index < count).sort((a, b) => a - b);
      for (const index of done) ledger.enter(index, 'ok');
      ledger.seal(count);
      const remaining = new Unfinished(ledger, 'lost', count);
      expect(ledger.balanced).toBe(true);
      const others = done.map((index) => ({ index, status: 'ok' as const, text: `${index}` }));
      const lines = [...remaining.batches(others)].flatMap((batch) => batch.lines);
      expect(lines.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_, n) => n));
      expect(lines.filter(({ status }) => status === 'ok')).toEqual(others);
    }),
  );
});

it('millions of unfinished inputs are yielded in parts', () => {
  const ledger = new RunLedger();
  ledger.expect(1_000_000);
  const remaining = new Unfinished(ledger, 'cancelled', 1_000_000);
  let count = 0;
  for (const batch of remaining.batches()) {
    expect(batch.count).toBeLessThanOrEqual(10_000);
    count += batch.count;
  }
  expect(count).toBe(1_000_000);
});
