import type { Command } from 'commander';
import { checkOutput, outputOf } from './check-output.ts';
import { commandLine } from './command-line.ts';
import { STATUS } from './exit.ts';
import { count, say } from './log.ts';
import { type Output, openOutput, ReaderLeft } from './output.ts';
import { s3SchemeOf } from './s3-scheme.ts';
import { untilSignal } from './signals.ts';
import { addRemoteOptions, connectRemote, flagsOf, type RemoteFlags } from './target.ts';

interface ResultsFlags extends RemoteFlags {
  output?: string;
  overwrite?: boolean;
  ordered?: boolean;
  quiet?: boolean;
}

/** `fanfold results <run>`: fetches the results that a stack has stored in S3. */
export function addResults(program: Command): void {
  addRemoteOptions(
    program
      .command('results')
      .description('fetch the results of a run from S3, as JSON lines')
      .argument('<run>', 'the run id, or the folder of its results in S3', s3SchemeOf),
  )
    .option('--output <file>', 'write results to this file (default: standard output)')
    .option('--overwrite', 'replace an output that exists')
    .option('--ordered', 'write results in input order')
    .option('--quiet', 'print only errors')
    .action((run: string, flags: ResultsFlags) =>
      untilSignal((signal) => results(run, flags, signal)),
    );
}

async function results(named: string, flags: ResultsFlags, signal: AbortSignal): Promise<number> {
  const { ordered = false, overwrite = false, quiet = false } = flags;
  const path = outputOf(flags.output);
  checkOutput(path, [], { overwrite, hasResume: false });
  const connection = await connectRemote(flags);
  await using fanfold = connection.fanfold;
  const run = await fanfold.stored(named);
  let output: Output | undefined;
  const open = async () => {
    const opened = await openOutput(path);
    if (overwrite) await opened.empty();
    return opened;
  };
  let written = 0;
  try {
    for await (const batch of run.soFar({ ordered })) {
      signal.throwIfAborted();
      // Only now: what can't be read must leave no file.
      output ??= await open();
      await output.write(`${batch.text}\n`);
      written += batch.count;
    }
    output ??= await open();
    await output.sync();
  } catch (error) {
    if (error instanceof ReaderLeft) return STATUS.ok;
    throw error;
  } finally {
    await output?.close();
  }
  if (quiet) return STATUS.ok;
  const where = path === undefined ? '' : ` are in ${path}`;
  say(`${count(written, 'result')} of run ${run.runId}${where}`);
  if (run.status !== undefined) {
    const line = commandLine(['wait', run.runId, ...flagsOf(connection.target)]);
    say(`the run is not over, and more results follow; to wait for its end: ${line}`);
  }
  return STATUS.ok;
}
