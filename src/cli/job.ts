import type { Run } from '../index.ts';
import type { CommandInputs, OpenedInputs } from './inputs/index.ts';
import type { RunPage } from './live/run-page.ts';
import type { RunOutput } from './resume/index.ts';
import type { Connection } from './target.ts';
import type { Carried } from './with-input.ts';

/** A run that a command starts or collects. */
export interface Job {
  /** Starts the run, or resumes one. */
  begin: () => Promise<Run>;
  /** The inputs; undefined if this command does not seed them. */
  inputs: CommandInputs | undefined;
  /** True if this command starts the run although it has no `inputs`. @default false */
  isStartedHere?: boolean;
  /** Inputs that are joined to their results. */
  carried: Carried | undefined;
  recorded: RunOutput;
  /** The target of the run. A run on another machine continues without this command. */
  connection: Connection;
  /** File of the results; undefined for standard output. */
  output: string | undefined;
  quiet: boolean;
  /** File for the run's report. @default none */
  report?: { task: string; path: string | undefined } | undefined;
  /** The live page that shows it. @default none */
  page?: RunPage | undefined;
  /** Opens the inputs anew, for the page; undefined if they can be read once only. */
  reopen?: (() => Promise<OpenedInputs>) | undefined;
  /** Returns the command that runs failed inputs again, with an option that says which. */
  retry?: ((option: string) => string) | undefined;
  /** The command that resumes the run after an early end; undefined if none can. */
  again: string | undefined;
  /** Aborts when the command receives a signal to stop. */
  signal: AbortSignal;
}
