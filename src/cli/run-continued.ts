import { FanfoldError, type KeptResults } from '../index.ts';
import { InputsHash, MAX_PAYLOAD_BYTES } from '../internal.ts';
import { commandLine } from './command-line.ts';
import { STATUS } from './exit.ts';
import { type InputOptions, openInputs } from './inputs/index.ts';
import { count, say } from './log.ts';
import type { ResumeFlags } from './resume/index.ts';
import { withoutResume } from './resume/resumed.ts';
import { isRetryOption } from './resume/retried.ts';
import type { Connection } from './target.ts';

type ContinuedFlags = ResumeFlags & Omit<InputOptions, 'maxInputBytes'> & { quiet?: boolean };

/** A run whose results are in S3, and which a command continues. */
export interface Continued {
  kept: KeptResults;
  /** True if no input is left to run. */
  isWhole: boolean;
}

/**
 * The run that a command continues, compared with its inputs; undefined if it continues none.
 *
 * @param isHere whether this command reads the inputs
 * @throws FanfoldError when that run goes on, or its inputs were others
 */
export async function continuedRun(
  flags: ContinuedFlags,
  { fanfold }: Connection,
  isHere: boolean,
): Promise<Continued | undefined> {
  const { resume, retryFailed, quiet } = flags;
  if (typeof resume !== 'string') return undefined;
  const run = await fanfold.stored(resume);
  const kept = await run.kept({
    retryFailed: retryFailed === 'all' ? true : retryFailed && [...retryFailed],
  });
  const { inputs, settled, ok, failed } = kept.ledger;
  // Standard input can be read only once: its inputs are compared while they are seeded.
  const read = isHere && flags.input !== '-' ? await compared(flags, kept) : undefined;
  if (!quiet) {
    const appended = read !== undefined && read > inputs ? `; ${read - inputs} are new` : '';
    say(
      `continuing run ${run.runId} after ${count(settled, 'result')} (${ok} ok, ${failed} failed) of ${count(inputs, 'input')}${appended}`,
    );
  }
  return { kept, isWhole: read !== undefined && read === settled };
}

/** Compares the inputs with those of the earlier run, before any work is done. Returns their number. */
async function compared(flags: ContinuedFlags, { run, ledger }: KeptResults): Promise<number> {
  const mark = run.ended?.inputs;
  const hash = new InputsHash(mark && 'read' in mark ? mark : undefined);
  const inputs = await openInputs({ ...flags, maxInputBytes: MAX_PAYLOAD_BYTES });
  try {
    for await (const batch of inputs.batches()) hash.take(batch);
  } finally {
    inputs.close();
  }
  if (hash.read >= ledger.inputs) return hash.read;
  throw new FanfoldError(
    'BadInput',
    `Run ${run.options.runId} had ${count(ledger.inputs, 'input')}, and now there are ${hash.read}: continue it with the same inputs, to which others may be appended.`,
  );
}

/** The exit status of a command that has nothing to run. */
export function statusOfWhole({ kept }: Continued, { quiet, resume }: ContinuedFlags): number {
  const { inputs, failed } = kept.ledger;
  if (!quiet) {
    say(`each of the ${count(inputs, 'input')} has a result in ${kept.folder}: nothing was run`);
    if (failed > 0)
      say(`to run failed inputs again: ${againLine(String(resume), '--retry-failed')}`);
  }
  return failed === 0 ? STATUS.ok : STATUS.failed;
}

/** The command that continues a run of this command line. */
export function againLine(runId: string, option?: string): string {
  const kept = withoutResume(process.argv.slice(2)).filter((arg) => !isRetryOption(arg));
  return commandLine([...kept, '--resume', runId, ...(option === undefined ? [] : [option])]);
}
