import { extname, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { FanfoldError } from '../../index.ts';
import { FORMAT_EXTENSIONS, formatOf } from '../../inputs/extensions.ts';
import { openAs } from '../../inputs/formats.ts';
import { openJsonLines } from '../../inputs/lines.ts';
import type { OpenedInputs } from '../../inputs/opened.ts';
import { shellWord } from '../../inputs/printable.ts';
import { BAD_INPUT_REMEDY, BadInputs, type OnBadInput } from '../bad-inputs.ts';
import { checkFile, fileSource, streamSource } from './files.ts';
import { openGlob } from './glob.ts';
import { openRange } from './range.ts';

export type { OpenedInputs } from '../../inputs/opened.ts';

/** A file that is an input, or that inputs are read from. */
export interface InputFile {
  /** Its path, or its descriptor. */
  file: string | number;
  /** Name for messages. */
  name: string;
  /** True if a pattern matched it. */
  isMatch?: boolean;
}

export interface CommandInputs extends OpenedInputs {
  /** Bad lines and rows, unless the first one ends the reading. */
  readonly bad?: BadInputs | undefined;
  readonly files: readonly InputFile[];
}

/** Source of the inputs: one of `input`, `range` and `glob`. */
export interface InputOptions {
  /** A file, or `-` for standard input. */
  input?: string;
  /** `N` for 0 to N-1, or `A..B` for A to B. */
  range?: string;
  /** A pattern; the paths of matching files are the inputs. */
  glob?: string;
  /** Maximum size of an input, in bytes of its JSON text. */
  maxInputBytes: number;
  /** @default 'fail' */
  onBadInput?: OnBadInput;
  /** Base of relative paths and patterns. @default the process's working folder */
  cwd?: string;
  /** @default standard input */
  stdin?: Readable;
}

/**
 * Opens inputs.
 *
 * @throws FanfoldError `BadOption` or `BadInput` for errors that can be found before any work
 */
export async function openInputs(options: InputOptions): Promise<CommandInputs> {
  const { input, range, glob, cwd = process.cwd() } = options;
  const given = Object.entries({ '--input': input, '--range': range, '--glob': glob })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (given.length > 1) {
    throw new FanfoldError(
      'BadOption',
      `${given.join(' and ')} each name a source of inputs: leave out all but one.`,
    );
  }
  if (options.onBadInput !== undefined && (range !== undefined || glob !== undefined)) {
    throw new FanfoldError(
      'BadOption',
      `--on-bad-input is about the lines of --input, and ${given[0]} has none: leave it out.`,
    );
  }
  if (range !== undefined) return { ...openRange(range), files: [] };
  if (glob !== undefined) {
    const { paths, ...opened } = openGlob(glob, cwd);
    const files = paths.map((name) => ({ file: resolve(cwd, name), name, isMatch: true }));
    return { ...opened, files };
  }
  if (input !== undefined) {
    const { onBadInput = 'fail' } = options;
    const bad = onBadInput === 'fail' ? undefined : new BadInputs(onBadInput);
    const opened = await openInput(input, cwd, options, bad);
    const file = input === '-' ? STANDARD_INPUT : { file: resolve(cwd, input), name: input };
    return { ...opened, files: [file], bad };
  }
  throw new FanfoldError(
    'BadOption',
    'Name a source of inputs: --input FILE (or - for standard input), --range N, or --glob PATTERN.',
  );
}

const STANDARD_INPUT: InputFile = { file: 0, name: 'on standard input' };

async function openInput(
  path: string,
  cwd: string,
  { maxInputBytes, stdin }: InputOptions,
  bad: BadInputs | undefined,
): Promise<OpenedInputs> {
  if (path === '-') {
    return openJsonLines({
      ...streamSource(stdin ?? process.stdin, maxInputBytes),
      ...{ bad, remedy: BAD_INPUT_REMEDY },
    });
  }
  if (path === '') throw new FanfoldError('BadOption', '--input is empty: name a file, or - .');
  const extension = extname(path).toLowerCase();
  // Checks first that the file exists: a wrong name may be the cause of a wrong extension.
  await checkFile(path, cwd);
  const format = formatOf(path);
  if (format !== undefined) {
    return openAs(format, {
      ...(await fileSource(path, cwd, maxInputBytes)),
      ...{ bad, remedy: BAD_INPUT_REMEDY },
    });
  }
  const word = shellWord(path);
  if (extension === '.json') {
    throw new FanfoldError(
      'BadInput',
      `${path}: inputs must be JSON lines, one on each line; a .json file is one value. To convert an array into lines: jq -c '.[]' ${word} > ${shellWord(`${path}l`)}`,
    );
  }
  throw new FanfoldError(
    'BadInput',
    `${path}: ${extension === '' ? 'a name without an extension' : `"${extension}"`} does not name a known format. Known extensions: ${FORMAT_EXTENSIONS.join(', ')}. To read the file as JSON lines: --input - < ${word}`,
  );
}
