import { CsvError, parse } from 'csv-parse/sync';
import { count, FanfoldError } from '../errors.ts';
import { Places } from './line-index.ts';
import { checkLength, isBlank, linesOf, withoutReturn } from './lines.ts';
import type { OpenedInputs } from './opened.ts';
import { checkSeparator, separatorHint, withoutQuoted } from './separator.ts';
import {
  BEGINNING,
  blocksOf,
  type Position,
  remedied,
  replaced,
  type Source,
  withLineFeeds,
} from './source.ts';

/** A row as it is in the file. */
interface Row {
  text: string;
  /** The line on which it begins: a quoted field may span several lines. */
  line: number;
  /** What is wrong with it. */
  error?: FanfoldError | undefined;
  /** Whether the inputs end within a quoted field of it. */
  isOpen?: boolean;
}

/** Rows that ended in a block, and the position of the first row that did not. */
interface Rows {
  rows: Row[];
  end: Position;
}

/** Opens CSV with a header row. Each further row is an object of texts; blank lines are skipped. */
export function openCsv(source: Source): OpenedInputs {
  const { from } = source;
  const places = new Places(source.name, from?.line ?? 2);
  let position = from ?? BEGINNING;
  return {
    total: undefined,
    position: () => position,
    locate: (index) => places.locate(index),
    close: () => source.close(),
    async *batches() {
      let names = from?.keys;
      let keys = names && keysOf(names, source, 1);
      let index = 0;
      /** Set until the row below it is there as well. */
      let header: Row | undefined;
      for await (const { rows, end } of rowsOf(source)) {
        if (index === 0 && from === undefined) {
          const [first, second] = header === undefined ? rows : [header, ...rows];
          header = first;
          if (first) refuseJson(first, source);
          if (first && second) checkSeparator(first.text, second.text, source, first.line);
        }
        const batch: string[] = [];
        for (const { fields, row } of fieldsOf(rows, source)) {
          const { line, text } = row;
          if (keys === undefined) {
            if (row.error) throw row.error;
            names = fields;
            keys = keysOf(fields, source, line);
            continue;
          }
          let json: string | undefined;
          try {
            if (row.error) throw row.error;
            if (fields.length !== keys.length) throw uneven(fields, keys, source, line);
            json = `{${keys.map((key, at) => key + JSON.stringify(fields[at])).join(',')}}`;
            checkLength(json, source, line);
          } catch (error) {
            json = replaced(error, source, { index, line, text });
          }
          if (json === undefined) continue;
          places.note(index++, line);
          batch.push(json);
        }
        position = { ...end, keys: names };
        if (batch.length > 0) yield batch;
      }
    },
  };
}

/** Refuses JSON lines: their first one would become the names of the fields. */
function refuseJson({ text, line }: Row, { name, path }: Source): void {
  if (!/^\s*[[{]/.test(text)) return;
  try {
    JSON.parse(text);
  } catch {
    return;
  }
  const remedy = path === undefined ? 'Give it as JSON lines' : 'Rename the file to .jsonl';
  throw new FanfoldError(
    'BadInput',
    `${name}, line ${line}: expected the header of a CSV table; this is JSON. ${remedy}.`,
  );
}

/** A row that has an open quote. */
interface OpenRow {
  lines: string[];
  line: number;
  length: number;
  bytes: number;
  error: FanfoldError | undefined;
}

/**
 * Cuts text into rows, block by block. A row ends with the first line at whose end no quote is
 * open. Lines are counted here because csv-parse counts the CRLF in a quoted field as two.
 */
async function* rowsOf(source: Source): AsyncGenerator<Rows, void> {
  let open: OpenRow | undefined;
  for await (const { text, firstLine, endByte, bad, isCut } of blocksOf(source)) {
    // A quote in the part that was not kept may have opened or closed a field.
    if (isCut) throw bad?.get(firstLine);
    const rows: Row[] = [];
    const lines = linesOf(text);
    const hasReturns = text.includes('\r');
    for (const [at, raw] of lines.entries()) {
      const turns =
        raw.includes('"') && hasOddQuotes(raw) && !(open === undefined && isStray(raw, source));
      const error = bad?.get(firstLine + at);
      if (open !== undefined) {
        open.lines.push(raw);
        open.length += raw.length + 1;
        open.bytes += Buffer.byteLength(raw) + 1;
        open.error ??= error;
        if (turns) {
          const { line, error: wrong } = open;
          rows.push({ text: withoutReturn(open.lines.join('\n')), line, error: wrong });
          open = undefined;
        }
      } else if (turns) {
        const bytes = Buffer.byteLength(raw) + 1;
        open = { lines: [raw], line: firstLine + at, length: raw.length, bytes, error };
      } else if (!isBlank(raw)) {
        rows.push({ text: withoutReturn(raw), line: firstLine + at, error });
      }
    }
    // Reading may resume at the open row, and not within it.
    const end =
      open === undefined
        ? { byte: endByte, line: firstLine + lines.length }
        : { byte: endByte - open.bytes, line: open.line };
    if (hasReturns) for (const row of rows) checkReturns(row, source);
    yield { rows, end };
    if (open !== undefined && open.length > source.maxInputBytes) break;
  }
  // It has one quote too many, and is refused for that.
  if (open !== undefined) {
    const { line } = open;
    yield {
      rows: [{ text: open.lines.join('\n'), line, isOpen: true }],
      end: { byte: Infinity, line },
    };
  }
}

/** Refuses an unquoted carriage return in a row: a row ended there, before files were joined. */
function checkReturns(row: Row, source: Source): void {
  const { text, line } = row;
  if (!text.includes('\r') || !withoutQuoted(text).includes('\r')) return;
  row.error ??= new FanfoldError(
    'BadInput',
    `${source.name}, line ${line}: the row contains a carriage return without a line feed, outside quotes. If carriage returns end the rows, convert the file with: ${withLineFeeds(source)}`,
  );
  if (source.bad === undefined) throw remedied(row.error, source);
}

/**
 * Whether a line's odd quote is inside a field without quotes, such as `5" nail`. If bad rows are
 * left out, it opens nothing: the rows below it would be left out too.
 */
function isStray(line: string, { bad }: Source): boolean {
  return bad !== undefined && !/(^|,)"/.test(line.replace(QUOTED, '$1'));
}

const QUOTED = /(^|,)"(?:[^"]|"")*"(?=,|\r?$)/g;

function hasOddQuotes(line: string): boolean {
  let odd = false;
  for (let at = line.indexOf('"'); at !== -1; at = line.indexOf('"', at + 1)) odd = !odd;
  return odd;
}

/** Only quotes need csv-parse: a row without them is split at its commas. */
function* fieldsOf(rows: Row[], source: Source): Generator<{ fields: string[]; row: Row }, void> {
  const quoted = parsed(
    rows.filter(({ text }) => text.includes('"')),
    source,
  );
  let at = 0;
  for (const row of rows) {
    const fields = row.text.includes('"') ? quoted[at++] : row.text.split(',');
    if (fields !== undefined) yield { fields, row };
  }
}

const STRAY = 'INVALID_OPENING_QUOTE';

const UNCLOSED = 'CSV_QUOTE_NOT_CLOSED';

const OPTIONS = { relax_column_count: true, record_delimiter: '\n' };

/** The fields of rows. All rows are parsed in one call: a call for each costs ten times as much. */
function parsed(rows: Row[], source: Source): string[][] {
  if (rows.length === 0) return [];
  try {
    return parse(rows.map(({ text }) => text).join('\n'), OPTIONS);
  } catch (error) {
    if (!(error instanceof CsvError) || rows[0] === undefined) throw error;
    if (rows.length === 1) {
      const [row] = rows;
      row.error ??= refusal(error, row, source);
      // A wrong quote may have made one row of several.
      const isWhole = row.text.includes('\n') || error.code === UNCLOSED;
      if (source.bad === undefined) {
        throw isWhole && error.code !== STRAY ? row.error : remedied(row.error, source);
      }
      if (isWhole) throw row.error;
      return [[]];
    }
    // Parsing each row alone shows which of them is wrong.
    return rows.flatMap((row) => parsed([row], source));
  }
}

/** The header's names as the beginnings of JSON members. */
function keysOf(names: string[], { name }: Source, line: number): string[] {
  const empty = names.findIndex((one) => one.trim() === '');
  if (empty !== -1) {
    throw new FanfoldError(
      'BadInput',
      `${name}, line ${line}: the header has no name for field ${empty + 1}.`,
    );
  }
  const seen = new Map<string, number>();
  for (const [at, one] of names.entries()) {
    const first = seen.get(one);
    // The message may reach readers who may not read the file, so it quotes nothing from it.
    if (first !== undefined) {
      throw new FanfoldError(
        'BadInput',
        `${name}, line ${line}: fields ${first + 1} and ${at + 1} of the header have the same name. Give each field a name of its own.`,
      );
    }
    seen.set(one, at);
  }
  return names.map((one) => `${JSON.stringify(one)}:`);
}

function uneven(fields: string[], keys: string[], { name }: Source, line: number): FanfoldError {
  const has = count(fields.length, 'field');
  const remedy = fields.length > keys.length ? ' Quote a field that contains a comma.' : '';
  return new FanfoldError(
    'BadInput',
    `${name}, line ${line}: the row has ${has}, the header names ${keys.length}.${remedy}`,
  );
}

const REASONS: Partial<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote opens in this row and is never closed',
  CSV_INVALID_CLOSING_QUOTE:
    'text follows a closing quote; write a quote inside a quoted field twice',
  INVALID_OPENING_QUOTE:
    'a quote is in a field that does not start with one: quote the whole field, and write quotes inside it twice',
};

function refusal(error: CsvError, { text, line, isOpen }: Row, source: Source): FanfoldError {
  // The next quote below looks like its closing one.
  const code = isOpen && error.code === 'CSV_INVALID_CLOSING_QUOTE' ? UNCLOSED : error.code;
  return new FanfoldError(
    'BadInput',
    `${source.name}, line ${line}: this is not CSV: ${REASONS[code] ?? code}.${separatorHint(text, source)}`,
    { cause: error },
  );
}
