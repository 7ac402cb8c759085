import { FanfoldError } from '../../index.ts';
import { createdAt } from '../../internal.ts';
import { s3SchemeOf } from '../s3-scheme.ts';

export const RESUME = '--resume';

/** Value of the option without a value. */
export const HERE = 'here';

/** True if a text names a run whose results are in S3: its id, or its folder. */
export function isRunName(text: string): boolean {
  return s3SchemeOf(text).startsWith('s3://') || createdAt(text) !== undefined;
}

/** Reads the option's value: a run, or true for the one in `--output`. */
export function resumedOf(value: string): string | true {
  if (value === HERE) return true;
  if (isRunName(value)) return s3SchemeOf(value);
  throw new FanfoldError(
    'BadOption',
    `${RESUME} takes the id of a run whose results are in S3, or its folder; got "${value}". Without a value, it resumes from the file of --output.`,
  );
}

/** Arguments without those that resume a run. */
export function withoutResume(args: readonly string[]): string[] {
  return args.filter((arg, at) => {
    const isValue = args[at - 1] === RESUME && isRunName(arg);
    return !isValue && arg !== RESUME && !arg.startsWith(`${RESUME}=`);
  });
}
