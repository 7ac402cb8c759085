import { FanfoldError } from '../../index.ts';
import type { OnBadInput } from '../bad-inputs.ts';

/** Settings that must not change when a run is resumed. */
export interface Beginning {
  task: string;
  ordered: boolean;
  withInput: boolean;
  /** Undefined where it does not matter. */
  onBadInput?: OnBadInput;
}

/** Version of records. */
export const VERSION = 1;

/** First line of a record. */
export type Head = Beginning & { v: number; collector?: string };

/** @throws FanfoldError when a record is another run's, or of another version */
export function checkBeginning(
  output: string,
  head: Head,
  { task, ordered, withInput }: Beginning,
): void {
  const refuse = (why: string) => {
    throw new FanfoldError('BadOption', `--resume: ${output} ${why}`);
  };
  if (head.v !== VERSION) {
    refuse(
      `was started by another version of fanfold: its record has version ${head.v}, and this version reads ${VERSION}.`,
    );
  }
  if (head.task !== task) refuse(`has results of the task "${head.task}", not of "${task}".`);
  if (head.ordered !== ordered) {
    refuse(`was started ${head.ordered ? 'with' : 'without'} --ordered: resume it the same way.`);
  }
  if (head.withInput !== withInput) {
    refuse(
      `was started ${head.withInput ? 'with' : 'without'} --with-input: resume it the same way.`,
    );
  }
}

/**
 * The given handling of bad inputs, if it is another one than before. A run that was to fail at a
 * bad input has read none, so it may be resumed with any.
 *
 * @throws FanfoldError if the indexes of inputs would change
 */
export function newOnBadInput(
  output: string,
  lines: readonly object[],
  { onBadInput: given }: Beginning,
): OnBadInput | undefined {
  const last = lines.findLast((line): line is { onBadInput: OnBadInput } => 'onBadInput' in line);
  // Older records don't have it.
  if (last === undefined || given === undefined || given === last.onBadInput) return undefined;
  if (last.onBadInput === 'fail') return given;
  throw new FanfoldError(
    'BadOption',
    `--resume: ${output} was started with --on-bad-input ${last.onBadInput}: resume it the same way.`,
  );
}
