import { expect, it } from 'vitest';
import { PoisonInputs } from '../../../src/pipeline/collecting/poison-inputs.ts';

const begun = (id: string, message = 'm') =>
  ({ notice: 'begun', worker: 'w', index: 3, attempt: 1, message, id }) as const;

it('an input is condemned when it was started six times, however often each notice is delivered', () => {
  const suspects = new PoisonInputs();
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    for (let delivery = 0; delivery < 10; delivery++) {
      expect(suspects.begun(begun(id))).toBe(false);
      expect(suspects.begun(begun(id, 'next attempt'))).toBe(false);
    }
  }
  expect(suspects.begun(begun('f'))).toBe(true);
});

it('copies of a message that are received while its first receiver may be alive count once', () => {
  const suspects = new PoisonInputs();
  const starts = [0, 1, 2, 3, 30, 59].map((at, id) => ({
    ...begun(String(id)),
    ...{ at: at * 1_000, until: (at + 60) * 1_000 },
  }));
  expect(starts.some((notice) => suspects.begun(notice))).toBe(false);
  const later = [2, 4, 6, 8, 10].map((minutes, id) => ({
    ...begun(`later ${id}`),
    ...{ at: minutes * 60_000, until: (minutes + 1) * 60_000 },
  }));
  expect(later.map((notice) => suspects.begun(notice))).toEqual([false, false, false, false, true]);
});
