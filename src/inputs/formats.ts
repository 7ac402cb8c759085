import { openCsv } from './csv.ts';
import type { Format } from './extensions.ts';
import { openJsonLines, openTextLines } from './lines.ts';
import type { OpenedInputs } from './opened.ts';
import type { Source } from './source.ts';

const OPENERS: Readonly<Record<Format, (source: Source) => OpenedInputs>> = {
  jsonl: openJsonLines,
  csv: openCsv,
  text: openTextLines,
};

/** Names of the formats. */
export const FORMATS = Object.keys(OPENERS) as readonly Format[];

export function openAs(format: Format, source: Source): OpenedInputs {
  return OPENERS[format](source);
}
