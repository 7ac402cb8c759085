import { FanfoldError } from '../errors.ts';
import type { Batch } from './batch.ts';
import { checkLength, isBlank, linesOf, withoutReturn } from './lines.ts';
import type { Places } from './places.ts';
import { BEGINNING, type Block, blocksOf, type Position, type Source } from './source.ts';

/** A row as it stands in the file. */
interface Row {
  text: string;
  /** Where it begins: a quoted field may go over several lines. */
  line: number;
}

/** Rows, and where the next one begins. */
interface Rows {
  rows: Row[];
  end: Block['end'];
}

/** CSV with a header row: each further row is an object of texts; blank lines are skipped. */
export async function* readCsv(
  source: Source,
  places: Places,
  from: Position,
): AsyncGenerator<Batch, void> {
  let keys = from.at > 0 ? await headerOf(source) : undefined;
  let { index } = from;
  for await (const { rows, end } of rowsOf(source, from)) {
    const texts: string[] = [];
    for (const row of rows) {
      const { line } = row;
      const fields = fieldsOf(row, source);
      if (keys === undefined) {
        keys = keysOf(fields, source, line);
        continue;
      }
      if (fields.length !== keys.length) throw uneven(fields, keys, source, line);
      const json = `{${keys.map((key, at) => key + JSON.stringify(fields[at])).join(',')}}`;
      checkLength(json, source, line);
      places.note(index++, line);
      texts.push(json);
    }
    if (texts.length > 0) yield { texts, end: { ...end, index } };
  }
}

/** The names that the fields have, of a source that is read on from further behind. */
async function headerOf(source: Source): Promise<string[] | undefined> {
  for await (const { rows } of rowsOf(source, BEGINNING)) {
    for (const row of rows) return keysOf(fieldsOf(row, source), source, row.line);
  }
  return undefined;
}

/** The row whose last quote is open. */
interface OpenRow {
  lines: string[];
  line: number;
  /** Where it begins, in bytes. */
  at: number;
  length: number;
}

/**
 * Cuts text into rows, a block's at a time: a row ends with the first line at whose end no quote is
 * open.
 */
async function* rowsOf(source: Source, from: Position): AsyncGenerator<Rows, void> {
  let open: OpenRow | undefined;
  for await (const { text, firstLine, end } of blocksOf(source, from)) {
    const rows: Row[] = [];
    const lines = linesOf(text);
    for (const [at, raw] of lines.entries()) {
      const turns = raw.includes('"') && hasOddQuotes(raw);
      if (open !== undefined) {
        open.lines.push(raw);
        open.length += raw.length + 1;
        if (turns) {
          rows.push({ text: withoutReturn(open.lines.join('\n')), line: open.line });
          open = undefined;
        }
      } else if (turns) {
        open = { lines: [raw], line: firstLine + at, at: -1, length: raw.length };
      } else if (!isBlank(raw)) {
        rows.push({ text: withoutReturn(raw), line: firstLine + at });
      }
    }
    if (open?.at === -1) open.at = end.at - bytesFrom(lines, open.line - firstLine, text);
    yield { rows, end: open === undefined ? end : placeOf(open) };
    if (open !== undefined && open.length > source.maxInputBytes) break;
  }
  // It has a quote too many, and is refused for it.
  if (open !== undefined) {
    yield { rows: [{ text: open.lines.join('\n'), line: open.line }], end: placeOf(open) };
  }
}

function placeOf({ at, line }: OpenRow): Rows['end'] {
  return { at, line };
}

/** How many bytes a block's text has from one of its lines on. */
function bytesFrom(lines: readonly string[], line: number, text: string): number {
  let from = 0;
  for (const before of lines.slice(0, line)) from += before.length + 1;
  return Buffer.byteLength(text.slice(from));
}

function hasOddQuotes(line: string): boolean {
  let odd = false;
  for (let at = line.indexOf('"'); at !== -1; at = line.indexOf('"', at + 1)) odd = !odd;
  return odd;
}

/** A row's fields. @throws FanfoldError when a quote stands where none can */
function fieldsOf({ text, line }: Row, source: Source): string[] {
  if (!text.includes('"')) return text.split(',');
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    if (text[at] === '"') {
      const quoted = quotedAt(text, at);
      if (quoted === undefined) throw noCsv('unclosed', line, source);
      at = quoted.end;
      if (at < text.length && text[at] !== ',') throw noCsv('closing', line, source);
      fields.push(quoted.field);
    } else {
      const comma = text.indexOf(',', at);
      const field = text.slice(at, comma === -1 ? text.length : comma);
      if (field.includes('"')) throw noCsv('opening', line, source);
      fields.push(field);
      at += field.length;
    }
    if (at === text.length) return fields;
  }
}

/** A field in quotes, and where it ends; undefined where it does not. */
function quotedAt(text: string, at: number): { field: string; end: number } | undefined {
  let field = '';
  for (let from = at + 1; ; ) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return undefined;
    field += text.slice(from, quote);
    if (text[quote + 1] !== '"') return { field, end: quote + 1 };
    field += '"';
    from = quote + 2;
  }
}

/** The header's names as the beginnings of JSON members. */
function keysOf(names: string[], { name }: Source, line: number): string[] {
  const empty = names.findIndex((one) => one.trim() === '');
  if (empty !== -1) {
    throw new FanfoldError(
      'BadInput',
      `${name}, line ${line}: the header names the fields, and has no name for field ${empty + 1}.`,
    );
  }
  const twice = names.find((one, at) => names.indexOf(one) !== at);
  if (twice !== undefined) {
    throw new FanfoldError(
      'BadInput',
      `${name}, line ${line}: the header names two fields "${twice}".`,
    );
  }
  return names.map((one) => `${JSON.stringify(one)}:`);
}

function uneven(fields: string[], keys: string[], { name }: Source, line: number): FanfoldError {
  const has = fields.length === 1 ? '1 field' : `${fields.length} fields`;
  const remedy = fields.length > keys.length ? ' Quote a field that contains a comma.' : '';
  return new FanfoldError(
    'BadInput',
    `${name}, line ${line}: the row has ${has}, the header names ${keys.length}.${remedy}`,
  );
}

const REASONS = {
  unclosed: 'a quote opens in this row, and none closes it in all that follows',
  closing: 'text follows on a closing quote; a quote inside of a quoted field is written twice',
  opening:
    'a quote stands in a field that does not begin with one: quote the whole field, and write quotes inside of it twice',
};

function noCsv(why: keyof typeof REASONS, line: number, { name }: Source): FanfoldError {
  return new FanfoldError('BadInput', `${name}, line ${line}: this is not CSV: ${REASONS[why]}.`);
}
