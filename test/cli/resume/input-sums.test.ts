import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { InputSums } from '../../../src/cli/resume/input-sums.ts';

test('keeps the sums of texts through growth, and through the text of a record', () => {
  const texts = Array.from({ length: 1000 }, (_, index) => `{"n":${index},"s":"é"}`);
  const sums = new InputSums();
  for (let from = 0; from < texts.length; from += 7) sums.add(texts.slice(from, from + 7), 0);
  const read = InputSums.fromText(sums.text);
  for (const each of [sums, read]) {
    expect(each.length).toBe(1000);
    expect(texts.every((text, at) => each.at(at) === crc32(text))).toBe(true);
    expect(each.at(1000)).toBeUndefined();
  }
});

test('forgets the sums before, and skips texts that an earlier record covers', () => {
  const sums = new InputSums();
  sums.add(['a', 'b'], 0);
  sums.clear();
  expect(sums.text).toBe('');
  sums.add(['a', 'b', 'c'], 2);
  sums.add(['d'], 5);
  expect([sums.length, sums.at(0)]).toEqual([1, crc32('c')]);
});
