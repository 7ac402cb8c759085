import { Readable } from 'node:stream';
import { CsvError, type Info, parse } from 'csv-parse';
import { FanfoldError } from '../../index.ts';
import type { OpenedInputs } from './opened.ts';
import { Places } from './places.ts';
import { blocksOf, type Source, tooLong } from './source.ts';

const BATCH = 1_000;

/** CSV with a header row: each further row is an object of texts. */
export function openCsv(source: Source): OpenedInputs {
  const places = new Places(source.name, 2);
  return {
    total: undefined,
    locate: (index) => places.locate(index),
    close: () => source.close(),
    async *batches() {
      let batch: string[] = [];
      let index = 0;
      for await (const { json, line } of rowsOf(source)) {
        const bytes = Buffer.byteLength(json);
        if (bytes > source.maxInputBytes) throw tooLong(source, line, bytes);
        places.note(index++, line);
        batch.push(json);
        if (batch.length < BATCH) continue;
        yield batch;
        batch = [];
      }
      if (batch.length > 0) yield batch;
    },
  };
}

interface Row {
  json: string;
  /** Where it begins: a quoted field may go over several lines. */
  line: number;
}

async function* rowsOf(source: Source): AsyncGenerator<Row, void> {
  const { name } = source;
  let header: string[] = [];
  async function* texts() {
    for await (const { text } of blocksOf(source)) yield text;
  }
  const parser = parse({
    columns: (row: string[]) => {
      header = checkedHeader(row, name);
      return header;
    },
    info: true,
    skip_empty_lines: true,
  });
  const read = Readable.from(texts());
  // What goes wrong with the source is told to who reads the rows.
  read.on('error', (error) => parser.destroy(error));
  read.pipe(parser);
  let lastLine = 1;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: object; info: Info }>) {
      // `lines` counts those before the row's end; blank ones before it count as its own.
      const lines = linesIn(record);
      yield { json: JSON.stringify(record), line: info.lines - lines };
      lastLine = info.lines;
    }
  } catch (error) {
    if (error instanceof CsvError) throw refusal(error, header, name, lastLine);
    throw error;
  } finally {
    read.destroy();
  }
}

/** Line breaks inside of a row's fields. */
function linesIn(record: object): number {
  let count = 0;
  for (const value of Object.values(record)) {
    if (typeof value === 'string' && value.includes('\n')) count += value.split('\n').length - 1;
  }
  return count;
}

function checkedHeader(row: string[], name: string): string[] {
  const empty = row.findIndex((column) => column.trim() === '');
  if (empty !== -1) {
    throw new FanfoldError(
      'BadInput',
      `${name}, line 1: the header names the fields, and has no name for field ${empty + 1}.`,
    );
  }
  const twice = row.find((column, at) => row.indexOf(column) !== at);
  if (twice !== undefined) {
    throw new FanfoldError('BadInput', `${name}, line 1: the header names two fields "${twice}".`);
  }
  return row;
}

function refusal(error: CsvError, header: string[], name: string, lastLine: number): FanfoldError {
  const { lines, record } = error as CsvError & { lines?: number; record?: unknown };
  const line = typeof lines === 'number' ? lines : lastLine;
  if (error.code === 'CSV_RECORD_INCONSISTENT_COLUMNS' && Array.isArray(record)) {
    const fields = (count: number) => (count === 1 ? '1 field' : `${count} fields`);
    return new FanfoldError(
      'BadInput',
      `${name}, line ${line}: the row has ${fields(record.length)}, the header ${fields(header.length)} (${header.join(', ')}). Quote a field that contains a comma.`,
      { cause: error },
    );
  }
  return new FanfoldError('BadInput', `${name}, line ${line}: this is not CSV: ${error.message}.`, {
    cause: error,
  });
}
