import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Deduplicator } from '../../../src/pipeline/collecting/deduplicator.ts';
import { okLine } from '../../../src/pipeline/messages/result.ts';
import { ResultDraft, readResults } from '../../../src/pipeline/messages/result-message.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { RunLedger } from '../../../src/pipeline/run/ledger.ts';

const INPUTS = 12;

/** A delivery of one message with `ok` results of these indexes, as a worker lays it out. */
function delivery(indexes: readonly number[]) {
  const runId = newRunId();
  const draft = new ResultDraft();
  for (const index of indexes) draft.add(index, okLine(index, `${index}`, 1), true);
  return {
    batches: [readResults(draft.body(runId, 'w'), runId)],
    notices: [],
    used: [],
    receiptHandles: [],
  };
}

it('a deduplicator passes on the first result of each input, in whichever messages and however often they arrive', () => {
  // A worker that received a chunk twice may report its results twice in one message.
  const message = fc.array(fc.nat(INPUTS - 1), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(message), (messages) => {
      const ledger = new RunLedger();
      ledger.expect(INPUTS);
      const deduplicator = new Deduplicator(ledger, {
        onCancel() {},
        onSealed() {},
        onBroken() {},
        onFailing() {},
        onUsed() {},
      });
      const taken = messages.flatMap((indexes) =>
        deduplicator
          .enter(delivery(indexes))
          .flatMap(({ lines }) => lines.map(({ index }) => index)),
      );
      const all = messages.flat();
      expect(taken).toEqual([...new Set(all)]);
      expect(ledger.ok).toBe(taken.length);
      expect(ledger.duplicates).toBe(all.length - taken.length);
    }),
  );
});
