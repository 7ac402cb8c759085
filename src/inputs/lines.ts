import { FanfoldError, messageOf } from '../errors.ts';
import { Places } from './line-index.ts';
import type { OpenedInputs } from './opened.ts';
import { shellWord } from './printable.ts';
import { BEGINNING, blocksOf, replaced, type Source, tooLong } from './source.ts';

/**
 * Opens JSON lines: one input per line; blank lines are skipped. A line is only passed on here.
 * Whether it is JSON is checked where lines are cut into chunks, unless bad lines are left out.
 */
export function openJsonLines(source: Source): OpenedInputs {
  let isFirst = source.from === undefined;
  let inputs = 0;
  /** Number of elements of a first line that is an array. */
  let elements = 0;
  const opened = openLines(source, (text, line) => {
    if (isBlank(text)) return undefined;
    inputs++;
    if (isFirst) {
      isFirst = false;
      checkFirst(text, source, line);
    }
    if (source.bad !== undefined) checkJson(text, source, line);
    if (inputs === 1 && text.startsWith('[')) elements = lengthOf(text);
    return text;
  });
  const { name, path } = source;
  const note = () =>
    inputs === 1 && elements > 1
      ? `${name} is one JSON array on one line, so it was one input; to map its ${elements} elements, convert it with: jq -c '.[]'${path === undefined ? '' : ` ${shellWord(path)}`}`
      : undefined;
  return { ...opened, note };
}

function lengthOf(array: string): number {
  try {
    return JSON.parse(array).length;
  } catch {
    // It is refused where lines are cut into chunks.
    return 0;
  }
}

/** Opens text: each line is a string, even an empty one. */
export function openTextLines(source: Source): OpenedInputs {
  return openLines(source, (line) => JSON.stringify(line));
}

/** @param toJson returns a line's JSON text; undefined if the line is blank */
function openLines(
  source: Source,
  toJson: (text: string, line: number) => string | undefined,
): OpenedInputs {
  const places = new Places(source.name, source.from?.line ?? 1);
  let position = source.from ?? BEGINNING;
  return {
    total: undefined,
    position: () => position,
    locate: (index) => places.locate(index),
    close: () => source.close(),
    async *batches() {
      let index = 0;
      for await (const { text, firstLine, endByte, bad } of blocksOf(source)) {
        const batch: string[] = [];
        let line = firstLine;
        for (const raw of linesOf(text)) {
          let json: string | undefined;
          try {
            const error = bad?.get(line);
            if (error !== undefined) throw error;
            json = toJson(withoutReturn(raw), line);
            if (json !== undefined) checkLength(json, source, line);
          } catch (error) {
            if (error instanceof NoLines) throw error;
            json = replaced(error, source, { index, line, text: withoutReturn(raw) });
          }
          if (json !== undefined) {
            places.note(index++, line);
            batch.push(json);
          }
          line++;
        }
        position = { byte: endByte, line };
        if (batch.length > 0) yield batch;
      }
    },
  };
}

/** A block's lines. The end of the last one begins no further line. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

const RETURN = 0x0d;
const SPACE = 0x20;

/** A line without the carriage return of a Windows line end. */
export function withoutReturn(line: string): string {
  return line.charCodeAt(line.length - 1) === RETURN ? line.slice(0, -1) : line;
}

export function isBlank(line: string): boolean {
  return line.length === 0 || (line.charCodeAt(0) <= SPACE && /^[ \t\r]*$/.test(line));
}

export function checkLength(json: string, source: Source, line: number): void {
  // A UTF-16 unit takes at most three bytes, so most lines need no exact count.
  if (json.length * 3 <= source.maxInputBytes) return;
  const bytes = Buffer.byteLength(json);
  if (bytes > source.maxInputBytes) throw tooLong(source, line, bytes);
}

/** Advice for a first line that does not begin like JSON. */
function otherFormat(path: string | undefined): string {
  return path === undefined
    ? '. Standard input takes JSON lines: for CSV or plain text, use a .csv or .txt file'
    : '. If the file is CSV or plain text, rename it to .csv or .txt';
}

function checkJson(text: string, { name }: Source, line: number, advice = ''): void {
  try {
    JSON.parse(text);
  } catch (cause) {
    const why = `${name}, line ${line}: the input is not JSON: ${messageOf(cause)}${advice}`;
    throw new FanfoldError('BadInput', why, { cause });
  }
}

/** The source as a whole is not JSON lines, so no single line is to blame. */
class NoLines extends FanfoldError {}

/**
 * Refuses pretty-printed JSON, no line of which is JSON, and text of another format. Control
 * characters are no text: the file's kind is recognized elsewhere.
 */
function checkFirst(text: string, source: Source, line: number): void {
  const { name, path } = source;
  const bracket = text.trim();
  if (bracket !== '[' && bracket !== '{') {
    if (!/^["[{]|[^\t\P{Cc}]/u.test(text)) checkJson(text, source, line, otherFormat(path));
    return;
  }
  const [what, filter] = bracket === '[' ? ['a JSON array', "'.[]'"] : ['JSON', '.'];
  throw new NoLines(
    'BadInput',
    `${name}: expected one input per line; this is ${what} over several lines. Convert it with: jq -c ${filter}${path === undefined ? '' : ` ${shellWord(path)}`}`,
  );
}
