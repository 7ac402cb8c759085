import { fileURLToPath } from 'node:url';
import { inspect, types } from 'node:util';

/** Details of a thrown value besides its name and message. */
export interface ThrownDetails {
  /** Fields of a failed system call, as Node.js has them. */
  errno?: number;
  syscall?: string;
  hostname?: string;
  address?: string;
  port?: number;
  /** Frames of the user's own code and packages: none of Node.js's or Fanfold's. */
  stack?: string | undefined;
  /** The error's cause, four levels deep at most. */
  cause?: Thrown;
  /** The errors of an `AggregateError`, five at most. */
  errors?: Thrown[];
  /** Number of its errors that are not in `errors`. */
  moreErrors?: number;
  /** The error's other own fields, such as `status`, as Node.js shows them. */
  fields?: string;
}

/** Any thrown value, as plain data of bounded size, which fits into any message. */
export interface Thrown extends ThrownDetails {
  /** The error's name, or the type of a value that is not an error. */
  name: string;
  /** The error's message, or the text of a value that is not an error. */
  message: string;
  /** Such as `ECONNREFUSED`. */
  code?: string | number;
}

export const MESSAGE_LENGTH = 10_000;
/** Length of the message of a cause, or of an error in an `AggregateError`. */
const INNER_MESSAGE_LENGTH = 1_000;
export const NAME_LENGTH = 200;
const FRAMES = 10;
const LINE_LENGTH = 300;

/** Most causes one within the other, as readers may rely on; and errors in one `AggregateError`. */
export const MOST_NESTED = 4;
const MOST_ERRORS = 5;
/** Most errors in all: each takes 5,000 characters at most, so a result fits into a message. */
const MOST_IN_ALL = 12;

/**
 * Describes a thrown value. Tasks may throw anything: a value that is not an error is inspected,
 * and a field that throws when it is read is skipped.
 */
export function describeThrown(thrown: unknown): Thrown {
  return describe(thrown, { seen: new Set(), nested: 0 });
}

/** Describes errors, which are empty objects in JSON: a replacer for `JSON.stringify`. */
export function plainErrors(_key: string, value: unknown): unknown {
  return value instanceof Error ? describeThrown(value) : value;
}

/** The end of a sentence: the message, with the causes and errors that it does not mention. */
export function withCauses(thrown: Nested): string {
  let text = thrown.message;
  const add = (more: string) => {
    if (!text.includes(more)) text += `: ${more}`;
  };
  let inner: Nested | undefined = thrown;
  for (let nested = 0; inner && nested <= MOST_NESTED; nested++) {
    if (nested > 0) add(inner.message);
    if (inner.errors?.some(({ message }) => !text.includes(message))) {
      add(listOf(inner.errors, inner.moreErrors));
    }
    inner = inner.cause;
  }
  return shorten(text, MESSAGE_LENGTH);
}

type Nested = Pick<Thrown, 'message' | 'cause' | 'errors' | 'moreErrors'>;

interface Visited {
  /** Values described so far: a cause may lead back to one of them. */
  seen: Set<unknown>;
  nested: number;
}

function describe(thrown: unknown, visited: Visited): Thrown {
  const { seen, nested } = visited;
  seen.add(thrown);
  const most = nested === 0 ? MESSAGE_LENGTH : INNER_MESSAGE_LENGTH;
  if (!isError(thrown)) return { name: typeof thrown, message: shorten(shown(thrown), most) };
  const name = shorten(textOf(thrown, 'name') || 'Error', NAME_LENGTH);
  const described: Thrown = { name, message: '' };
  const inner = { seen, nested: nested + 1 };
  const errors = errorsOf(thrown, inner);
  // Node.js gives no message to the error of a host that has several addresses.
  const more = countOf(thrown) - errors.length;
  const own = textOf(thrown, 'message') || listOf(errors, more) || '(no message)';
  described.message = shorten(own, most);
  const code = fieldOf(thrown, 'code');
  if (typeof code === 'number') described.code = code;
  else if (typeof code === 'string') described.code = shorten(code, NAME_LENGTH);
  for (const key of ['errno', 'port'] as const) {
    const value = fieldOf(thrown, key);
    if (typeof value === 'number') described[key] = value;
  }
  for (const key of ['syscall', 'hostname', 'address'] as const) {
    const value = fieldOf(thrown, key);
    if (typeof value === 'string') described[key] = shorten(value, NAME_LENGTH);
  }
  const stack = stackOf(thrown, described, nested === 0);
  if (stack !== undefined) described.stack = stack;
  if (errors.length > 0) described.errors = errors;
  if (errors.length > 0 && more > 0) described.moreErrors = more;
  const fields = fieldsOf(thrown);
  if (fields !== undefined) described.fields = fields;
  const cause = fieldOf(thrown, 'cause');
  if (cause !== undefined && cause !== null && mayVisit(cause, inner)) {
    described.cause = describe(cause, inner);
  }
  return described;
}

function mayVisit(thrown: unknown, { seen, nested }: Visited): boolean {
  return nested <= MOST_NESTED && seen.size < MOST_IN_ALL && !seen.has(thrown);
}

function errorsOf(thrown: object, inner: Visited): Thrown[] {
  const errors = fieldOf(thrown, 'errors');
  const described: Thrown[] = [];
  try {
    if (!Array.isArray(errors)) return described;
    for (const error of errors.slice(0, MOST_ERRORS)) {
      if (mayVisit(error, inner)) described.push(describe(error, inner));
    }
  } catch {
    // The errors read so far are kept.
  }
  return described;
}

function listOf(errors: readonly Thrown[], more = 0): string {
  const list = errors.map(({ message }) => message).join('; ');
  return errors.length > 0 && more > 0 ? `${list}; and ${more} more` : list;
}

/** Number of errors in an `AggregateError`. */
function countOf(thrown: object): number {
  const errors = fieldOf(thrown, 'errors');
  try {
    return Array.isArray(errors) ? errors.length : 0;
  } catch {
    return 0;
  }
}

/** Fields that are described on their own. */
const KNOWN = new Set([
  ...['name', 'message', 'stack', 'code', 'cause', 'errors'],
  ...['errno', 'syscall', 'hostname', 'address', 'port'],
]);
const MOST_FIELDS = 20;
const FIELDS_LENGTH = 1_000;

/** The error's other own fields, as Node.js shows them; undefined if there are none. */
function fieldsOf(thrown: object): string | undefined {
  try {
    const keys = Object.keys(thrown).filter((key) => !KNOWN.has(key));
    if (keys.length === 0) return undefined;
    const shownKeys = keys.slice(0, MOST_FIELDS);
    const fields = Object.fromEntries(shownKeys.map((key) => [key, fieldOf(thrown, key)]));
    return shorten(shown(fields), FIELDS_LENGTH);
  } catch {
    return undefined;
  }
}

/** Includes errors of another realm, such as those of `node:vm`. */
function isError(thrown: unknown): thrown is object {
  try {
    return types.isNativeError(thrown) || thrown instanceof Error;
  } catch {
    return false;
  }
}

/** Reads a field, which may have a getter that throws. */
function fieldOf(thrown: object, key: string): unknown {
  try {
    return (thrown as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

function textOf(thrown: object, key: string): string {
  const value = fieldOf(thrown, key);
  return value === undefined || value === null ? '' : shown(value);
}

const INSPECTED = { depth: 3, maxArrayLength: 20, maxStringLength: 1_000, breakLength: Infinity };

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return inspect(value, INSPECTED);
  } catch {
    return 'a value without a message was thrown';
  }
}

/** @param always whether to return a stack without the user's frames, as of Node.js's own fetch */
function stackOf(thrown: object, { name, message }: Thrown, always: boolean): string | undefined {
  const stack = fieldOf(thrown, 'stack');
  if (typeof stack !== 'string') return undefined;
  // The message, which may itself contain lines like those of a stack, precedes the frames.
  const own = message === '' ? -1 : stack.indexOf(message);
  const frames = stack
    .slice(own < 0 ? 0 : own + message.length)
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !isInner(line))
    .slice(0, FRAMES);
  while (frames.at(-1)?.endsWith('(<anonymous>)')) frames.pop();
  if (frames.length === 0 && !always) return undefined;
  const [firstLine = ''] = message.split('\n', 1);
  return [`${name}: ${firstLine}`, ...frames].map((line) => shorten(line, LINE_LENGTH)).join('\n');
}

/** Folders of Fanfold's own files. In a function's bundle, this file is not a separate one. */
const OWN_FOLDERS = /\/thrown\.[jt]s$/.test(import.meta.url ?? '')
  ? [new URL('.', import.meta.url).href, fileURLToPath(new URL('.', import.meta.url))]
  : ['Execution.'];

function isInner(frame: string): boolean {
  if (/[( ]node:/.test(frame) || frame.includes('/node_modules/fanfold/')) return true;
  return OWN_FOLDERS.some((folder) => frame.includes(folder));
}

/** Longest note on the length of a text that was cut. */
const CUT_LENGTH = 40;

/** Cuts a text, unless it was cut to the same length before. */
export function shorten(text: string, length: number): string {
  return text.length > length + CUT_LENGTH
    ? `${text.slice(0, length)} ... (${text.length} characters)`
    : text;
}
