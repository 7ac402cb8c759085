import { FanfoldError, type RunOptions } from '../index.ts';
import { durationSeconds } from './duration.ts';
import { type FlowFlags, flowOptionsOf } from './flow.ts';

/** Flags of `fanfold run` that are options of `map`. */
export interface MapFlags extends FlowFlags {
  ordered?: boolean;
  maxFailures?: string;
  deadline?: string;
}

/** @throws FanfoldError `BadOption` that names the flag */
export function optionsOf({ ordered = false, maxFailures, deadline, ...flags }: MapFlags) {
  return {
    ordered,
    ...flowOptionsOf(flags),
    maxFailures: maxFailures === undefined ? undefined : budgetOf(maxFailures),
    deadlineSeconds:
      deadline === undefined ? undefined : durationSeconds('--deadline', deadline, 13),
  } satisfies RunOptions;
}

function budgetOf(text: string): number | `${number}%` {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) <= 100) return `${Number(percent)}%`;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new FanfoldError(
    'BadOption',
    `--max-failures must be a whole number, or a percentage of at most 100%, such as 10 or 5%; got "${text}".`,
  );
}
