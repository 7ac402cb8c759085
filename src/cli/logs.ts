import type { Command } from 'commander';
import { FanfoldError, type LogLine } from '../index.ts';
import { printable, printableJsonLines } from '../inputs/printable.ts';
import { createdAt, readStackLogs } from '../internal.ts';
import { STATUS } from './exit.ts';
import { count, say } from './log.ts';
import { openOutput, ReaderLeft } from './output.ts';
import { keptLines, logPathOf } from './resume/kept-log.ts';
import { isOutput, type RecordedRun, readRecordedRun } from './resume/recorded-run.ts';
import { addRemoteOptions, type RemoteFlags } from './target.ts';
import { textOf } from './task-log.ts';

interface LogsFlags extends RemoteFlags {
  json?: boolean;
}

/** Log lines of one input. */
interface Found {
  lines: { text: string; line: LogLine }[];
  /** Sentences about lines that are missing. */
  notes: string[];
}

/** `fanfold logs <run> <index>`: shows the log lines of one input. */
export function addLogs(program: Command): void {
  addRemoteOptions(
    program
      .command('logs')
      .description('show the log lines of one input, those of all its attempts')
      .argument('<run>', 'the output file of the run, or with --stack the run id')
      .argument('<index>', 'the index of the input, as in its result'),
  )
    .option('--json', 'print each line as it was logged, as JSON')
    .action(async (run: string, index: string, flags: LogsFlags) => {
      process.exitCode = await logs(run, indexOf(index), flags);
    });
}

function indexOf(given: string): number {
  if (/^\d{1,12}$/.test(given)) return Number(given);
  throw new FanfoldError(
    'BadOption',
    `The index must be a whole number, as in the input's result; got "${given}".`,
  );
}

async function logs(run: string, index: number, flags: LogsFlags): Promise<number> {
  if (flags.endpoint !== undefined) throw notKept(`on the server ${flags.endpoint}`);
  const { lines, notes } = isOutput(run)
    ? await linesOfOutput(run, index, flags.stack)
    : await linesOfRun(run, index, flags.stack);
  const isOneRun = new Set(lines.map(({ line }) => line.runId)).size <= 1;
  const shown = lines.map(({ text, line }) =>
    flags.json ? printableJsonLines(text) : forPeople(line, isOneRun),
  );
  try {
    if (shown.length > 0) await (await openOutput(undefined)).write(`${shown.join('\n')}\n`);
  } catch (error) {
    if (!(error instanceof ReaderLeft)) throw error;
  }
  for (const note of notes) say(note);
  return STATUS.ok;
}

/** The lines of an input whose result is in a file. */
async function linesOfOutput(
  output: string,
  index: number,
  named: string | undefined,
): Promise<Found> {
  const recorded = readRecordedRun(output);
  const found: Found = { lines: [], notes: [] };
  for (const [stack, runIds] of stacksOf(output, recorded, named)) {
    const { lines, isCut } = await readStackLogs(stack, runIds, index);
    found.lines.push(...deployedLines(lines));
    if (isCut) found.notes.push(CUT);
  }
  for await (const { text, line } of keptLines(output, [index])) {
    if (line.full)
      found.notes.push(`${logPathOf(output)} was full at ${line.time}: later lines were dropped`);
    // Only a line that tells that the log is full has no index.
    else found.lines.push({ text, line: line as LogLine });
  }
  if (found.lines.length > 0) return found;
  const { inputs, hasAll, runs } = recorded;
  if (index >= inputs && hasAll) throw outOfRange(index, inputs, output);
  const place = runs.at(-1)?.place;
  if (place?.startsWith('endpoint ')) throw notKept(`on ${place}`);
  const later = index >= inputs ? `; ${count(inputs, 'input')} of it are known so far` : '';
  const late = place === undefined ? '' : `; ${LATE}`;
  found.notes.push(`no log lines of input ${index} of ${output}${later}${late}`);
  return found;
}

/** The runs of an output's inputs, by stack. */
function stacksOf(
  output: string,
  { runs }: RecordedRun,
  named: string | undefined,
): Map<string, string[]> {
  const stacks = new Map<string, string[]>();
  for (const { runId, place } of runs) {
    const [, stack] = /^stack (.+)$/.exec(place) ?? [];
    if (stack === undefined || (named ?? stack) !== stack) continue;
    stacks.set(stack, [...(stacks.get(stack) ?? []), runId]);
  }
  if (named === undefined || stacks.size > 0) return stacks;
  throw new FanfoldError(
    'BadOption',
    `${output} has no results of a run on stack ${named}: leave --stack out.`,
  );
}

/** The lines of an input of a run on a stack. */
async function linesOfRun(runId: string, index: number, stack: string | undefined): Promise<Found> {
  if (createdAt(runId) === undefined) {
    throw new FanfoldError(
      'BadOption',
      `There is no file ${runId}, and it is no run id, such as 20261123T165514123-k3f9x2ab. Name the output file of a run or, with --stack, its id.`,
    );
  }
  if (stack === undefined) {
    throw new FanfoldError(
      'BadOption',
      'A run id needs the stack that the run was on: --stack NAME. The log lines of a run on this machine are beside its output: name that file in place of the id.',
    );
  }
  const { lines, isCut, inputs } = await readStackLogs(stack, [runId], index);
  if (lines.length > 0) return { lines: deployedLines(lines), notes: isCut ? [CUT] : [] };
  if (inputs === undefined) {
    throw new FanfoldError(
      'UnknownRun',
      `The logs of stack ${stack} have no line of run ${runId}: the id is wrong, the lines are older than the log's retention, or the construct's \`logLevel\` left them out. ${LATE_SENTENCE}`,
    );
  }
  if (index >= inputs) throw outOfRange(index, inputs, `run ${runId}`);
  return { lines: [], notes: [`no log lines of input ${index} of run ${runId}; ${LATE}`] };
}

const LATE = 'new lines take up to a minute to be found';
const LATE_SENTENCE = `${LATE.replace(/^n/, 'N')}.`;
const CUT = 'Logs Insights returns no more than 10,000 lines: the later ones are missing';

function outOfRange(index: number, inputs: number, whose: string): FanfoldError {
  const range = inputs === 0 ? '' : `, 0 to ${inputs - 1}`;
  return new FanfoldError(
    'BadOption',
    `There is no input ${index}: ${whose} has ${count(inputs, 'input')}${range}.`,
  );
}

function notKept(where: string): FanfoldError {
  return new FanfoldError(
    'BadOption',
    `Log lines of runs ${where} are not kept: its workers print them, see the standard error of \`fanfold work\` and \`fanfold serve\`.`,
  );
}

/** Reads lines of functions' logs. Logs Insights does not order those of the same millisecond. */
function deployedLines(texts: readonly string[]): Found['lines'] {
  return texts
    .map((text) => ({ text, line: deployedLine(text) }))
    .toSorted(({ line: one }, { line: other }) => {
      if (one.time !== other.time) return one.time < other.time ? -1 : 1;
      const attempts = (one.attempt ?? 0) - (other.attempt ?? 0);
      return attempts || (one.line ?? Infinity) - (other.line ?? Infinity) || 0;
    });
}

/** Reads a line of a function's log, whose fields are beside those of Fanfold. */
function deployedLine(text: string): LogLine {
  const { level, message, timestamp, service: _, ...logged } = JSON.parse(text);
  const { runId, index, task, attempt, line, xray_trace_id: __, ...fields } = logged;
  const about = { time: String(timestamp), level: String(level).toLowerCase() as LogLine['level'] };
  return { ...about, runId, index, task, attempt, line, message: String(message), fields };
}

function forPeople(line: LogLine, isOneRun: boolean): string {
  const { time, level, runId, attempt } = line;
  const whose = `${isOneRun ? '' : `run ${runId}, `}attempt ${attempt}`;
  const text = `${time} ${level.toUpperCase().padEnd(5)} ${whose}: ${textOf(line)}`;
  return text.split('\n').map(printable).join('\n');
}
