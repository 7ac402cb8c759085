import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { FanfoldError } from '../../index.ts';
import { openCsv } from './csv.ts';
import { openGlob } from './glob.ts';
import { openJsonLines, openTextLines } from './lines.ts';
import type { OpenedInputs } from './opened.ts';
import { openRange } from './range.ts';
import { fileSource, type Source, streamSource } from './source.ts';

export type { OpenedInputs } from './opened.ts';

/** Where the inputs come from: one of the first three. */
export interface InputOptions {
  /** A file, or `-` for standard input. */
  input?: string;
  range?: string;
  glob?: string;
  /** The largest input, in bytes of its JSON text. */
  maxInputBytes: number;
  /** @default standard input */
  stdin?: Readable;
}

/** Opens inputs. @throws FanfoldError `BadOption` or `BadInput` for all that can be told before any work */
export async function openInputs(options: InputOptions): Promise<OpenedInputs> {
  const { input, range, glob } = options;
  const given = Object.entries({ '--input': input, '--range': range, '--glob': glob })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (given.length > 1) {
    throw new FanfoldError(
      'BadOption',
      `${given.join(' and ')} each say where the inputs come from: leave out all but one.`,
    );
  }
  if (range !== undefined) return openRange(range);
  if (glob !== undefined) return openGlob(glob);
  if (input !== undefined) return openFile(input, options);
  throw new FanfoldError(
    'BadOption',
    'Say where the inputs come from: --input FILE (or - for standard input), --range N, or --glob PATTERN.',
  );
}

const FORMATS: Record<string, (source: Source) => OpenedInputs> = {
  '.jsonl': openJsonLines,
  '.ndjson': openJsonLines,
  '.csv': openCsv,
  '.txt': openTextLines,
};

async function openFile(path: string, options: InputOptions): Promise<OpenedInputs> {
  const { maxInputBytes } = options;
  if (path === '-') {
    return openJsonLines(streamSource(options.stdin ?? process.stdin, maxInputBytes));
  }
  if (path === '') throw new FanfoldError('BadOption', '--input is empty: name a file, or - .');
  const extension = extname(path).toLowerCase();
  const open = FORMATS[extension];
  if (open !== undefined) return open(await fileSource(path, maxInputBytes));
  // A file that is not there is told first: its name may be the mistake.
  (await fileSource(path, maxInputBytes)).close();
  if (extension === '.json') {
    throw new FanfoldError(
      'BadInput',
      `${path}: JSON lines are read, one input a line, and a .json file is one value. An array becomes lines with: jq -c '.[]' ${path} > ${path}l`,
    );
  }
  throw new FanfoldError(
    'BadInput',
    `${path}: "${extension}" says nothing of the format. Known: ${Object.keys(FORMATS).join(', ')}; JSON lines from anything else: --input - < ${path}`,
  );
}
