import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Numbered } from '../../../src/emulator/sqs/engine/numbered.ts';

// Few numbers per page, at its ends, so that some pages are emptied and others never created.
const number = fc.constantFrom(1, 2, 63, 64, 65, 127, 128, 300);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('set'), number }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('delete'), number }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('clear'), number }) },
);

it('numbered elements behave like a Map', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const numbered = new Numbered<{ at: number }>();
      const map = new Map<number, { at: number }>();
      for (const [at, { does, number }] of steps.entries()) {
        if (does === 'set') {
          numbered.set(number, { at });
          map.set(number, { at });
        } else if (does === 'delete') {
          numbered.delete(number);
          map.delete(number);
        } else {
          numbered.clear();
          map.clear();
        }
        expect(numbered.get(number)).toEqual(map.get(number));
        expect(numbered.size).toBe(map.size);
      }
      const all = (elements: Iterable<{ at: number }>) =>
        [...elements].sort((one, other) => one.at - other.at);
      expect(all(numbered.values())).toEqual(all(map.values()));
    }),
  );
});
