import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Places } from '../../src/inputs/line-index.ts';

it('a line index returns the line of each input', () => {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.constantFrom(127, 128, 129, 16_383, 16_384, 2 ** 31, 2 ** 40),
  );
  // A number of inputs on consecutive lines, then a number of lines to skip.
  const stretch = fc.tuple(fc.integer({ min: 1, max: 300 }), size);
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 30 }), (stretches) => {
      const places = new Places('a.jsonl', 1);
      const lines: number[] = [];
      let line = 1;
      for (const [inputs, skipped] of stretches) {
        for (let count = 0; count < inputs; count++) lines.push(line++);
        line += skipped;
      }
      for (const [index, line] of lines.entries()) places.note(index, line);
      const step = Math.ceil(lines.length / 100);
      for (let index = 0; index < lines.length; index += step) {
        expect(places.locate(index)).toBe(`a.jsonl, line ${lines[index]}`);
      }
      if (lines.length > 0) {
        expect(places.locate(lines.length - 1)).toBe(`a.jsonl, line ${lines.at(-1)}`);
      }
    }),
  );
});
