import { FanfoldError } from '../../index.ts';
import type { OpenedInputs } from './opened.ts';
import { Places } from './places.ts';
import { blocksOf, type Source, tooLong } from './source.ts';

/**
 * JSON lines: one input a line; blank lines are skipped. That a line is JSON is found out where it
 * is cut into chunks: here it is only passed on.
 */
export function openJsonLines(source: Source): OpenedInputs {
  const places = new Places(source.name, 1);
  return {
    total: undefined,
    locate: (index) => places.locate(index),
    close: () => source.close(),
    async *batches() {
      let index = 0;
      for await (const { text, firstLine } of blocksOf(source)) {
        const batch: string[] = [];
        let line = firstLine;
        for (const raw of linesOf(text)) {
          const json = withoutReturn(raw);
          if (!isBlank(json)) {
            if (index === 0 && json.trim() === '[') throw isArray(source);
            checkLength(json, source, line);
            places.note(index++, line);
            batch.push(json);
          }
          line++;
        }
        if (batch.length > 0) yield batch;
      }
    },
  };
}

/** Text: each line is a string, an empty one too. */
export function openTextLines(source: Source): OpenedInputs {
  const places = new Places(source.name, 1);
  return {
    total: undefined,
    locate: (index) => places.locate(index),
    close: () => source.close(),
    async *batches() {
      for await (const { text, firstLine } of blocksOf(source)) {
        yield linesOf(text).map((raw, at) => {
          const json = JSON.stringify(withoutReturn(raw));
          checkLength(json, source, firstLine + at);
          return json;
        });
      }
    },
  };
}

/** A block's lines; the end of the last one begins no further line. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (text.endsWith('\n')) lines.pop();
  return lines;
}

const RETURN = 0x0d;
const SPACE = 0x20;

function withoutReturn(line: string): string {
  return line.charCodeAt(line.length - 1) === RETURN ? line.slice(0, -1) : line;
}

function isBlank(line: string): boolean {
  return line.length === 0 || (line.charCodeAt(0) <= SPACE && line.trim() === '');
}

function checkLength(json: string, source: Source, line: number): void {
  // Three bytes are the most that a UTF-16 unit takes: most lines need no exact count.
  if (json.length * 3 <= source.maxInputBytes) return;
  const bytes = Buffer.byteLength(json);
  if (bytes > source.maxInputBytes) throw tooLong(source, line, bytes);
}

function isArray({ name }: Source): FanfoldError {
  const file = name === 'standard input' ? '' : ` ${name}`;
  return new FanfoldError(
    'BadInput',
    `${name}: this is a JSON array over several lines; one input a line is expected. It becomes lines with: jq -c '.[]'${file}`,
  );
}
