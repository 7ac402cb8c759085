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
