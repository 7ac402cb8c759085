import type { FailedResult, LogLine, Run } from '../../index.ts';
import { FanfoldError } from '../../index.ts';
import { count, type InputDetail, logsInsightsLink } from '../../internal.ts';
import type { OpenedInputs } from '../inputs/index.ts';
import type { RunOutput } from '../resume/index.ts';
import { keptLines, logPathOf } from '../resume/kept-log.ts';
import { linesOf } from '../resume/result-lines.ts';
import { wholeLines } from '../resume/whole-lines.ts';
import type { Connection } from '../target.ts';
import { textOf } from '../task-log.ts';

/** Where what is known of a run's inputs is. */
export interface InputSource {
  run: Run;
  connection: Connection;
  recorded: RunOutput;
  /** The file of results; undefined for standard output. */
  output: string | undefined;
  /** Opens the inputs anew; undefined if they can be read once only. */
  reopen: (() => Promise<OpenedInputs>) | undefined;
}

/** Most characters of a value, and lines of a log, that are shown. */
const MOST_CHARACTERS = 20_000;
const MOST_LINES = 1_000;

/** Longest time for which an input is looked for, in milliseconds. */
const SEARCH_MS = 1_000;

/** A result as it is written. */
interface Written extends Omit<Partial<FailedResult>, 'status'> {
  status: InputDetail['status'];
  input?: unknown;
  output?: unknown;
}

/** All that is known of one input. @throws FanfoldError `BadOption` if there is none */
export async function detailOf(given: InputSource, index: number): Promise<InputDetail> {
  // A device has no results that could be read.
  const source = given.recorded.resumable ? given : { ...given, output: undefined };
  const { inputs, sealed } = source.run.ledger;
  if (sealed && index >= inputs) {
    const why = `There is no input ${index}: the run has ${count(inputs, 'input')}, from 0.`;
    throw new FanfoldError('BadOption', why);
  }
  const missing: string[] = [];
  const result = await resultOf(source, index, missing);
  const { status, error, ms, worker }: Partial<Written> = result ?? {};
  const shown = (name: string, text: string | undefined) => {
    if (text === undefined || text.length <= MOST_CHARACTERS) return text;
    missing.push(`Its ${name} is cut: it has ${text.length.toLocaleString('en')} characters.`);
    return text.slice(0, MOST_CHARACTERS);
  };
  const input = jsonOf(result?.input) ?? (await inputOf(source, index, missing));
  return {
    ...{ index, status, ms, worker, attempts: error?.attempts },
    input: shown('input', input),
    output: shown('output', jsonOf(result?.output)),
    error: shown('error', jsonOf(error)),
    log: await logOf(source, index, missing),
    logLink: await linkOf(source, index),
    missing,
  };
}

function jsonOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value, undefined, 2);
}

async function resultOf(
  { output }: InputSource,
  index: number,
  missing: string[],
): Promise<Written | undefined> {
  if (output === undefined) {
    missing.push('Results go to standard output: with --output FILE, they are shown here.');
    return undefined;
  }
  const head = `{"index":${index},`;
  let found: string | undefined;
  for await (const block of wholeLines(output)) {
    if (!block.includes(head)) continue;
    // An input that ran again has a later line.
    found = linesOf(block).findLast((line) => line.startsWith(head)) ?? found;
  }
  if (found === undefined) missing.push('It has no result yet.');
  return found === undefined ? undefined : (JSON.parse(found) as Written);
}

/** Reads an input where it came from. */
async function inputOf(
  { reopen }: InputSource,
  index: number,
  missing: string[],
): Promise<string | undefined> {
  if (reopen === undefined) {
    missing.push('Its input cannot be read again: with --with-input, it is in its result.');
    return undefined;
  }
  const opened = await reopen();
  const until = performance.now() + SEARCH_MS;
  let first = 0;
  try {
    for await (const batch of opened.batches()) {
      if (index < first + batch.length) return batch[index - first];
      first += batch.length;
      if (performance.now() > until) break;
    }
    missing.push('Its input is too far into its file: with --with-input, it is in its result.');
  } catch (error) {
    missing.push(`Its input cannot be read: ${(error as Error).message}`);
  } finally {
    opened.close();
  }
  return undefined;
}

async function logOf(
  { output, recorded, connection: { target } }: InputSource,
  index: number,
  missing: string[],
): Promise<InputDetail['log']> {
  if (target.kind === 'server') {
    missing.push('Its log lines are not kept: the workers of the server print them.');
    return [];
  }
  if (target.kind === 'stack') return [];
  if (output === undefined || recorded.log === undefined) {
    missing.push('Log lines are kept beside the results: give --output FILE to see them here.');
    return [];
  }
  recorded.log.flush();
  const lines: InputDetail['log'] = [];
  for await (const { line } of keptLines(output, [index])) {
    const { time = '', level = 'info' } = line;
    if (line.full)
      missing.push(`${logPathOf(output)} was full at ${time}: later lines are missing.`);
    // Only a line that tells that the log is full has no message.
    else if (lines.length < MOST_LINES) lines.push({ time, level, text: textOf(line as LogLine) });
    else break;
  }
  if (lines.length === MOST_LINES)
    missing.push(`Only the first ${MOST_LINES} log lines are shown.`);
  return lines;
}

async function linkOf(
  { run, connection: { target } }: InputSource,
  index: number,
): Promise<string | undefined> {
  return target.kind === 'stack' ? logsInsightsLink(target.stack, run.runId, index) : undefined;
}
