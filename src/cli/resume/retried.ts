import { type FailureCode, FanfoldError } from '../../index.ts';
import { FAILURE_CODES, isFailureCode } from '../../internal.ts';

/** Which failed inputs run again: all, or those with one of these codes. */
export type Retried = 'all' | ReadonlySet<FailureCode>;

export const OPTION = '--retry-failed';
export const ALL = 'all';

/** Whether an argument is the option, with or without a value. */
export function isRetryOption(arg: string): boolean {
  return arg === OPTION || arg.startsWith(`${OPTION}=`);
}

/** Reads the option's value. @throws FanfoldError for an unknown code */
export function retriedOf(value: string): Retried {
  if (value === ALL) return 'all';
  const codes = value.split(',').map((code) => code.trim());
  const unknown = codes.find((code) => !isFailureCode(code));
  if (unknown === undefined) return new Set(codes.filter(isFailureCode));
  throw new FanfoldError(
    'BadOption',
    `${OPTION} takes codes of failures, separated by commas: ${FAILURE_CODES.join(', ')}; got "${unknown}". Without a value, all failed inputs run again.`,
  );
}
