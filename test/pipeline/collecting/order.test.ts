import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InOrder } from '../../../src/pipeline/collecting/order.ts';
import { ResultBatch } from '../../../src/pipeline/messages/result-message.ts';

const line = (index: number) => ({ index, status: 'ok' as const, text: String(index) });
const batch = (indexes: readonly number[]) => ResultBatch.ofLines(indexes.map(line));
const indexesOf = (batches: readonly ResultBatch[]) =>
  batches.flatMap(({ lines }) => lines.map(({ index }) => index));

describe('results in order', () => {
  it('are each yielded once, and kept in the queue until then, copies included', () => {
    const deliveries = fc
      .integer({ min: 1, max: 30 })
      .chain((count) =>
        fc.tuple(
          fc.constant(count),
          fc.array(fc.uniqueArray(fc.nat(count - 1), { minLength: 1 }), { maxLength: 20 }),
        ),
      );
    fc.assert(
      fc.property(deliveries, ([count, some]) => {
        const all = [...some, Array.from({ length: count }, (_, index) => index)];
        const acknowledged = new Set<string>();
        const order = new InOrder(
          0,
          ({ receiptHandles: [handle = ''] }) => acknowledged.add(handle),
          { has: () => true },
        );
        const seen = new Set<number>();
        const handedOn: number[] = [];
        const came: [handle: string, readonly number[]][] = [];
        for (const indexes of all) {
          const fresh = indexes.filter((index) => !seen.has(index));
          for (const index of fresh) seen.add(index);
          const handle = String(came.length);
          const delivery = {
            batches: [batch(indexes)],
            notices: [],
            used: [],
            receiptHandles: [handle],
          };
          came.push([handle, indexes]);
          const before = acknowledged.size;
          const turn = indexesOf(order.add(delivery, [batch(fresh)]));
          // Acknowledged only after their consumer has taken them.
          expect(acknowledged.size).toBe(before);
          handedOn.push(...turn);
          order.acknowledgeConsumed();
          for (const [one, of] of came) {
            expect(acknowledged.has(one)).toBe(of.every((index) => index < handedOn.length));
          }
        }
        expect(handedOn).toEqual(Array.from({ length: count }, (_, index) => index));
      }),
    );
  });

  it('continue where earlier ones ended', () => {
    const order = new InOrder(2, () => {}, { has: () => true });
    const delivery = { batches: [batch([3, 2])], notices: [], used: [], receiptHandles: [] };
    expect(indexesOf(order.add(delivery, delivery.batches))).toEqual([2, 3]);
  });
});
