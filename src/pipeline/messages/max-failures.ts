import { FanfoldError, valueText } from '../../errors.ts';

/** A budget of failures: a number of inputs, or a share of them in percent. */
export interface MaxFailures {
  most: number;
  isShare: boolean;
}

/**
 * The parts of `maxFailures`; undefined without it.
 *
 * @throws FanfoldError `BadOption` when it is neither a number nor a percentage
 */
export function checkMaxFailures(maxFailures: unknown): MaxFailures | undefined {
  if (maxFailures === undefined) return undefined;
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(String(maxFailures)) ?? [];
  const most = Number(number);
  const fits = percent ? most <= 100 : Number.isSafeInteger(most);
  if (number !== undefined && fits) return { most, isShare: percent === '%' };
  throw new FanfoldError(
    'BadOption',
    `\`maxFailures\` must be a whole number from 0, or a percentage of at most 100%, like "5%"; got ${valueText(maxFailures)}.`,
  );
}
