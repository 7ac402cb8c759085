import { FanfoldError, messageOf } from '../errors.ts';

/** What `map` takes: inputs in memory, made on demand, or as they come. */
export type Inputs<Input> = Iterable<Input> | AsyncIterable<Input>;

/** A part of a run's inputs, as JSON texts. */
export interface Page {
  texts: string[];
  /** Length of all texts, in UTF-16 units. */
  length: number;
  /** Whether these are the last. */
  last: boolean;
}

/** A page is sent when it holds so much ... */
const PAGE_LENGTH = 1_000_000;
/** ... or so many inputs ... */
const PAGE_INPUTS = 100_000;
/** ... or when its source has given nothing for so long, so that a slow stream's inputs start. */
const LINGER_MS = 50;
/** Inputs that are taken from an array or iterator in one go. */
const BATCH = 1_000;

/** Inputs as JSON texts, in batches. */
export async function* textsOf(inputs: Inputs<unknown>): AsyncGenerator<string[], void> {
  let index = 0;
  if (Symbol.asyncIterator in inputs) {
    for await (const input of inputs) yield [inputText(input, index++)];
    return;
  }
  let batch: string[] = [];
  for (const input of inputs) {
    batch.push(inputText(input, index++));
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function inputText(input: unknown, index: number): string {
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(input);
  } catch (thrown) {
    cause = thrown;
  }
  if (text !== undefined) return text;
  const why = cause === undefined ? `a ${typeof input} came` : messageOf(cause);
  throw new FanfoldError('BadInput', `Input ${index} is not JSON: ${why}.`, { cause });
}

/** Gathers batches of texts into pages. Ends the source when its consumer ends early. */
export async function* pagesOf(source: AsyncIterable<string[]>): AsyncGenerator<Page, void> {
  const batches = source[Symbol.asyncIterator]();
  let page: Page = { texts: [], length: 0, last: false };
  let ended = false;
  try {
    let next = batches.next();
    for (;;) {
      const step = page.texts.length === 0 ? await next : await soon(next);
      if (step === 'later') {
        yield page;
        page = { texts: [], length: 0, last: false };
        continue;
      }
      if (step.done) break;
      for (const text of step.value) {
        page.texts.push(text);
        page.length += text.length;
        if (page.length < PAGE_LENGTH && page.texts.length < PAGE_INPUTS) continue;
        yield page;
        page = { texts: [], length: 0, last: false };
      }
      next = batches.next();
      // It may fail while a page is being sent: that is met at the next turn.
      next.catch(() => {});
    }
    ended = true;
    yield { ...page, last: true };
  } finally {
    if (!ended) await batches.return?.();
  }
}

/** What the source gives within the linger time, or `later`. */
async function soon<T>(next: Promise<T>): Promise<T | 'later'> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const later = new Promise<'later'>((resolve) => {
    timer = setTimeout(() => resolve('later'), LINGER_MS);
  });
  try {
    return await Promise.race([next, later]);
  } finally {
    clearTimeout(timer);
  }
}
