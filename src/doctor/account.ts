import { type Check, type Finding, ok, problem, warning } from './finding.ts';
import type { AccountSubject } from './subject.ts';

const QUOTAS = 'https://console.aws.amazon.com/servicequotas/home/services/lambda/quotas';

/** Number of functions that run beside the workers: the seed. */
const BESIDE = 1;

/** Checks unreserved concurrency: new accounts have 10 or 50, and reservations reduce it. */
export const concurrency: Check<AccountSubject> = {
  title: 'concurrency',
  async run({ reader, workers }) {
    const [{ AccountLimit }, wanted] = await Promise.all([reader.settings(), workers()]);
    const free = AccountLimit?.UnreservedConcurrentExecutions;
    if (free === undefined)
      throw new Error("Lambda's response has no UnreservedConcurrentExecutions.");
    return roomFor(wanted, free);
  },
};

/** Whether an account has room for so many workers without a reservation. */
export function roomFor(wanted: number, free: number): Finding {
  const has = `The account has ${free} unreserved concurrent executions in this region`;
  if (free >= wanted + BESIDE) return ok(`${has}, enough for ${wanted} workers.`);
  const most = Math.max(2, free - BESIDE);
  const remedy = `Request a higher limit of concurrent executions (${QUOTAS}), or deploy with -c maxConcurrency=${most}.`;
  if (free >= wanted) {
    return warning(`${has}: ${wanted} workers would leave none for other functions.`, remedy);
  }
  return problem(
    `${has}, but ${wanted} workers need more: Lambda would throttle them, and your other functions.`,
    remedy,
  );
}

const CODE_SHARE = 0.9;

export const codeStorage: Check<AccountSubject> = {
  title: 'code storage',
  async run({ reader }) {
    const { AccountLimit, AccountUsage } = await reader.settings();
    const { TotalCodeSize: most } = AccountLimit ?? {};
    const { TotalCodeSize: used } = AccountUsage ?? {};
    if (most === undefined || used === undefined)
      throw new Error("Lambda's response has no TotalCodeSize.");
    const says = `Lambda stores ${gigabytes(used)} of at most ${gigabytes(most)} of code.`;
    if (used < most * CODE_SHARE) return ok(says);
    return problem(says, `Delete old function versions, or request a higher limit (${QUOTAS}).`);
  },
};

function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}

/**
 * Regions where Lambda has no `RecursiveLoop` setting, as of 2025-09.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
const WITHOUT_RECURSIVE_LOOP = /^(us-gov-.*|mx-central-1|ap-southeast-6)$/;

export function hasRecursiveLoop(region: string): boolean {
  return !WITHOUT_RECURSIVE_LOOP.test(region);
}

/**
 * Reports whether the region has loop detection. Workers send to the queue that they receive from:
 * where Lambda detects loops, it stops that unless the function allows recursive loops.
 */
export function recursionSupport(region: string): Finding {
  if (hasRecursiveLoop(region)) return ok(`Lambda in ${region} has the RecursiveLoop setting.`);
  return ok(
    `Lambda in ${region} has no RecursiveLoop setting, and does not stop loops, so the stack does not set it.`,
  );
}
