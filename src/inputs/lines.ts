import { FanfoldError } from '../errors.ts';
import type { Batch } from './batch.ts';
import type { Places } from './places.ts';
import { blocksOf, type Position, type Source, tooLong } from './source.ts';

/**
 * JSON lines: one input a line; blank lines are skipped. That a line is JSON is found out where it
 * is cut into chunks: here it is only passed on.
 */
export function readJsonLines(source: Source, places: Places, from: Position) {
  return readLines(source, places, from, (line, index) => {
    if (isBlank(line)) return undefined;
    if (index === 0) checkFirst(line, source);
    return line;
  });
}

/** Text: each line is a string, an empty one too. */
export function readTextLines(source: Source, places: Places, from: Position) {
  return readLines(source, places, from, (line) => JSON.stringify(line));
}

/** @param toJson gives a line's JSON text; undefined for one that is no input */
async function* readLines(
  source: Source,
  places: Places,
  from: Position,
  toJson: (line: string, index: number) => string | undefined,
): AsyncGenerator<Batch, void> {
  let { index } = from;
  for await (const { text, firstLine, end } of blocksOf(source, from)) {
    const texts: string[] = [];
    let line = firstLine;
    for (const raw of linesOf(text)) {
      const json = toJson(withoutReturn(raw), index);
      if (json !== undefined) {
        checkLength(json, source, line);
        places.note(index++, line);
        texts.push(json);
      }
      line++;
    }
    if (texts.length > 0) yield { texts, end: { ...end, index } };
  }
}

/** A block's lines; the end of the last one begins no further line. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

const RETURN = 0x0d;
const SPACE = 0x20;

/** A line without the first half of a Windows line end. */
export function withoutReturn(line: string): string {
  return line.charCodeAt(line.length - 1) === RETURN ? line.slice(0, -1) : line;
}

export function isBlank(line: string): boolean {
  return line.length === 0 || (line.charCodeAt(0) <= SPACE && /^[ \t\r]*$/.test(line));
}

export function checkLength(json: string, source: Source, line: number): void {
  // Three bytes are the most that a UTF-16 unit takes: most lines need no exact count.
  if (json.length * 3 <= source.maxInputBytes) return;
  const bytes = Buffer.byteLength(json);
  if (bytes > source.maxInputBytes) throw tooLong(source, line, bytes);
}

/** Tells JSON that is laid out for reading, which no line of is JSON, from JSON lines. */
function checkFirst(line: string, { name, shellName }: Source): void {
  const bracket = line.trim();
  if (bracket !== '[' && bracket !== '{') return;
  const [what, filter] = bracket === '[' ? ['a JSON array', "'.[]'"] : ['JSON', '.'];
  throw new FanfoldError(
    'BadInput',
    `${name}: this is ${what} over several lines; one input a line is expected. It becomes lines with: jq -c ${filter}${shellName === undefined ? '' : ` ${shellName}`}`,
  );
}
