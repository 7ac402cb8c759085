import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { lock } from '../../../src/cli/resume/lock.ts';

let output: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  output = join(folder, 'results.jsonl');
});

it('is the same for all names of an output, and leaves nothing', () => {
  const link = join(output, '../link.jsonl');
  writeFileSync(output, '');
  symlinkSync(output, link);
  const { release } = lock(link);
  expect(existsSync(`${output}.run.lock`)).toBe(true);
  expect(() => lock(output)).toThrow('Another fanfold command is writing');
  release();
  expect(existsSync(`${output}.run.lock`)).toBe(false);
  const next = lock(output);
  // Only its own holder ends it.
  release();
  expect(() => lock(output)).toThrow('Another fanfold command is writing');
  next.release();
});

it('takes over the file that a killed command left, and no other', () => {
  writeFileSync(`${output}.run.lock`, '');
  lock(output).release();
  writeFileSync(`${output}.run.lock`, 'not ours');
  expect(() => lock(output)).toThrow(/results\.jsonl\.run\.lock, and what is there is not/);
  expect(readFileSync(`${output}.run.lock`, 'utf8')).toBe('not ours');
});
