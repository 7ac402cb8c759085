import { FanfoldError } from '../errors.ts';
import { conversion } from './foreign.ts';
import type { Source } from './source.ts';

const SEPARATORS: Readonly<Record<string, string>> = {
  ';': 'semicolons',
  '\t': 'tabs',
  '|': 'vertical bars',
};

/**
 * Refuses a table whose fields are not separated by commas: spreadsheets write semicolons where
 * numbers have decimal commas. It would be read as one column, or not at all. Refuses a table that
 * two separators divide into equal rows, too: one of the two readings would be a silent mistake.
 *
 * @param row the first row below the header: a single column may have such a character in its name
 */
export function checkSeparator(header: string, row: string, source: Source, line: number): void {
  const names = withoutQuoted(header);
  const fields = withoutQuoted(row);
  const commas = count(names, ',');
  // Names and decimal numbers can have as many commas in both rows.
  const isCommas = commas > 0 && commas === count(fields, ',');
  const least = isCommas ? commas : 1;
  const separator = Object.keys(SEPARATORS).find(
    (one) => count(names, one) >= least && count(names, one) === count(fields, one),
  );
  if (separator === undefined) return;
  const other = SEPARATORS[separator];
  if (isCommas && count(names, separator) === commas) {
    throw new FanfoldError(
      'BadInput',
      `${source.name}, line ${line}: commas or ${other} can separate the fields: both occur as often in the header as in the row below it. If commas do, quote the names that contain ${other}; otherwise convert the file with: ${withCommas(separator, source)}`,
    );
  }
  throw new FanfoldError(
    'BadInput',
    `${source.name}, line ${line}: ${other} separate the fields; CSV needs commas. If it is one column, quote its name in the header; otherwise convert the file with: ${withCommas(separator, source)}`,
  );
}

/** Advice for a row that commas don't separate; empty if it has no other separator. */
export function separatorHint(row: string, source: Source): string {
  const text = withoutQuoted(row);
  const separator = Object.keys(SEPARATORS).find((one) => text.includes(one));
  if (separator === undefined) return '';
  return ` If ${SEPARATORS[separator]} separate the fields, convert the file with: ${withCommas(separator, source)}`;
}

/** A row without its quoted fields. */
export function withoutQuoted(row: string): string {
  return row.includes('"') ? row.replace(/"[^"]*"/g, '') : row;
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}

function withCommas(separator: string, source: Source): string {
  const delimiter = JSON.stringify(separator);
  const program = `import csv,sys; csv.writer(sys.stdout,lineterminator="\\n").writerows(csv.reader(sys.stdin,delimiter=${delimiter}))`;
  return conversion(`python3 -c '${program}'`, source);
}
