import { InputError } from '../../errors.ts';
import { inputTooLarge, isOver } from '../messages/chunk.ts';
import { lostFromInput } from '../messages/lost.ts';
import { whyNotJson } from '../messages/not-json.ts';
import { MAX_PAYLOAD_BYTES } from '../messages/payload.ts';

/** Inputs of `map`: in memory, made on demand, or asynchronous. */
export type Inputs<Input> = Iterable<Input> | AsyncIterable<Input> | JsonTexts;

/**
 * Inputs that are JSON texts already, in batches, for callers that pass inputs on without parsing
 * them. Each text is one input and contains no line break.
 */
export class JsonTexts {
  readonly batches: AsyncIterable<string[]>;
  /** Number of inputs, if known. */
  readonly total: number | undefined;

  constructor(batches: AsyncIterable<string[]>, total?: number) {
    this.batches = batches;
    this.total = total;
  }
}

/** A part of a run's inputs, as JSON texts. */
export interface Page {
  texts: string[];
  /** Length of all texts, in UTF-16 units. */
  length: number;
  /** Whether the page is full: its source yields inputs faster than they are sent. */
  full: boolean;
  /** Whether this is the last page. */
  last: boolean;
}

/** Length at which a page is sent, in UTF-16 units. */
const PAGE_LENGTH = 1_000_000;
/** Number of inputs at which a page is sent. */
const PAGE_INPUTS = 5_000;
/**
 * Longest wait of a page's first input for others, in milliseconds: a slow stream's inputs start
 * soon.
 */
const LINGER_MS = 50;
/** Inputs that are taken from an array or iterator at once, unless they are long. */
const BATCH = 1_000;

/** Number of inputs, if it can be known before they are read. */
export function totalOf(inputs: Inputs<unknown>): number | undefined {
  if (inputs instanceof JsonTexts) return inputs.total;
  return Array.isArray(inputs) ? inputs.length : undefined;
}

/** Inputs as JSON texts, in batches. */
export async function* textsOf(inputs: Inputs<unknown>): AsyncGenerator<string[], void> {
  if (inputs instanceof JsonTexts) return yield* inputs.batches;
  let index = 0;
  if (Symbol.asyncIterator in inputs) {
    for await (const input of inputs) yield [inputText(input, index++)];
    return;
  }
  let batch: string[] = [];
  let length = 0;
  for (const input of inputs) {
    const text = inputText(input, index++);
    batch.push(text);
    length += text.length;
    if (batch.length < BATCH && length < PAGE_LENGTH) continue;
    yield batch;
    batch = [];
    length = 0;
  }
  if (batch.length > 0) yield batch;
}

function inputText(input: unknown, index: number): string {
  const lost = lostFromInput(input);
  if (lost !== undefined) {
    const { what, path, remedy } = lost;
    const has = path === '$' ? `is ${what}` : `has ${what} at ${path}`;
    throw new InputError(index, `${has}, which JSON cannot hold. Use ${remedy}.`);
  }
  let text: string | undefined;
  try {
    text = JSON.stringify(input);
  } catch (cause) {
    throw new InputError(index, `cannot be JSON: ${whyNotJson(cause)}.`, { cause });
  }
  if (text === undefined) throw new InputError(index, 'has a `toJSON` that returns nothing.');
  if (isOver(text, MAX_PAYLOAD_BYTES)) throw inputTooLarge(index, Buffer.byteLength(text));
  return text;
}

/** Gathers batches of texts into pages. Closes the source when its consumer ends early. */
export async function* pagesOf(source: AsyncIterable<string[]>): AsyncGenerator<Page, void> {
  const batches = source[Symbol.asyncIterator]();
  let page: Page = emptyPage();
  let lingersUntil = 0;
  let ended = false;
  try {
    let next = batches.next();
    for (;;) {
      const step = page.texts.length === 0 ? await next : await soon(next, lingersUntil);
      if (step === 'later') {
        yield page;
        page = emptyPage();
        continue;
      }
      if (step.done) break;
      if (page.texts.length === 0) lingersUntil = performance.now() + LINGER_MS;
      for (const text of step.value) {
        page.texts.push(text);
        page.length += text.length;
        if (page.length < PAGE_LENGTH && page.texts.length < PAGE_INPUTS) continue;
        yield { ...page, full: true };
        page = emptyPage();
        lingersUntil = performance.now() + LINGER_MS;
      }
      next = batches.next();
      // It may reject while a page is being sent; the next iteration handles that.
      next.catch(() => {});
    }
    ended = true;
    yield { ...page, last: true };
  } finally {
    if (!ended) await batches.return?.();
  }
}

function emptyPage(): Page {
  return { texts: [], length: 0, full: false, last: false };
}

/** The next batch of the source, or `later` if it does not arrive by `until`. */
async function soon<T>(next: Promise<T>, until: number): Promise<T | 'later'> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = new Promise<'later'>((resolve) => {
    timer = setTimeout(() => resolve('later'), Math.max(0, until - performance.now()));
  });
  try {
    return await Promise.race([next, later]);
  } finally {
    clearTimeout(timer);
  }
}
