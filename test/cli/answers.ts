import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { type PackedReport, unpacked } from '../../src/report/report-data.ts';
import { inThisProcess } from './in-this-process.ts';

/** Text that an answer must contain. */
export type Phrase = string | RegExp;

/** A mistake, the arguments after `fanfold`, and what the answer must contain. */
export type Row = [mistake: string, args: string[], ...phrases: Phrase[]];

/** A folder for the files of a table. It is removed at the end. */
export function filesOf(table: string) {
  const folder = mkdtempSync(join(tmpdir(), `fanfold-${table}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string | Uint8Array) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return { folder, file };
}

/** The data of a report. */
export function reportIn(path: string) {
  const [, json = ''] = /id="report">(.*?)<\/script>/.exec(readFileSync(path, 'utf8')) ?? [];
  return unpacked(JSON.parse(json) as PackedReport);
}

export function expectPhrases(text: string, phrases: readonly Phrase[]): void {
  for (const phrase of phrases) {
    if (phrase instanceof RegExp) expect(text).toMatch(phrase);
    else expect(text).toContain(phrase);
  }
}

/** Runs a command that must give this status and these phrases, without a stack trace or a result. */
export async function expectAnswer(
  args: string[],
  status: number,
  phrases: readonly Phrase[],
): Promise<void> {
  const ended = await inThisProcess(args);
  expectPhrases(ended.stderr, phrases);
  expect(ended.stderr).not.toMatch(/^\s+at |stopped: 0 of/m);
  expect([ended.status, ended.stdout]).toEqual([status, '']);
}
