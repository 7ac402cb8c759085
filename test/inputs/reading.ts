import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { type InputOptions, type OpenedInputs, openInputs } from '../../src/cli/inputs/index.ts';
import { FanfoldError } from '../../src/index.ts';

/** A folder with files, deleted when its scope ends. */
export function folderWith(files: Record<string, string | Uint8Array>): Disposable & {
  path: string;
} {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'fanfold-inputs-'));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return { path: folder.path, [Symbol.dispose]: () => folder.remove() };
}

/** Large enough, unless a test sets it. */
const MAX_INPUT_BYTES = 100_000;

export function open(options: Partial<InputOptions>): Promise<OpenedInputs> {
  return openInputs({ maxInputBytes: MAX_INPUT_BYTES, ...options });
}

export interface Read {
  texts: string[];
  /** The texts, parsed. */
  values(): unknown[];
  locate(index: number): string | undefined;
  /** The origin of each input. */
  places(): (string | undefined)[];
}

export async function read(options: Partial<InputOptions>): Promise<Read> {
  return readOpened(await open(options));
}

export async function readOpened(opened: OpenedInputs): Promise<Read> {
  const texts = (await Array.fromAsync(opened.batches())).flat();
  return {
    texts,
    values: () => texts.map((text) => JSON.parse(text)),
    locate: (index) => opened.locate(index),
    places: () => texts.map((_, index) => opened.locate(index)),
  };
}

/** The inputs read from a file of this name and content. */
export async function readFile(
  name: string,
  content: string | Uint8Array,
  options: Partial<InputOptions> = {},
): Promise<Read> {
  using folder = folderWith({ [name]: content });
  return await read({ input: name, cwd: folder.path, ...options });
}

/** The inputs read from standard input in pieces of this size in bytes. */
export function readPieces(content: string | Uint8Array, bytes: number): Promise<Read> {
  return read({ input: '-', stdin: Readable.from(pieces(Buffer.from(content), bytes)) });
}

export function* pieces(content: Buffer, bytes: number): Generator<Buffer> {
  for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes);
}

/** The error that reading ends with. */
export async function refusal(reading: Promise<unknown>): Promise<FanfoldError> {
  const error = await reading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof FanfoldError) return error;
  throw new Error('a FanfoldError was expected', { cause: error });
}
