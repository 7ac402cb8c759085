import type { Cost } from '../index.ts';
import { moneyText } from '../internal.ts';
import { count } from './log.ts';

/** Share of the inputs from which the cost of all is told: the first workers cost before they work. */
const LEAST_SHARE = 0.1;

/**
 * The cost of a run so far, and an estimate of its total, by the share of its inputs that are done.
 * Undefined if it is not known in dollars.
 */
export function costSoFar(
  cost: Cost | undefined,
  { done, total }: { done: number; total: number | undefined },
): string | undefined {
  if (cost?.usd === undefined || cost.usd === 0) return undefined;
  const { usd, counted } = cost;
  const soFar = `${meteredText(usd, counted)} so far`;
  const share = total ? done / total : 0;
  return share < LEAST_SHARE || share >= 1
    ? soFar
    : `${soFar}, ${estimateText(usd / share)} in all`;
}

/** The metered amount, which may not be all. */
function meteredText(usd: number, { isLeast }: Cost['counted']): string {
  if (!isLeast) return moneyText(usd);
  return hasWords(usd) ? 'more than $0' : `at least ${moneyText(usd)}`;
}

function estimateText(usd: number): string {
  return hasWords(usd) ? moneyText(usd) : `about ${moneyText(usd)}`;
}

/** True if the text of an amount has words of its own: `less than $0.0001`. */
function hasWords(usd: number): boolean {
  return !moneyText(usd).startsWith('$');
}

/** The cost of a run in all, as one line. */
export function costText({ usd, region, items, counted }: Cost): string {
  if (usd === undefined || items === undefined) {
    const { gbSeconds, invocations, sqs } = counted;
    const seconds = gbSeconds.arm64 + gbSeconds.x86_64;
    const requests = sqs.standard + sqs.fair + sqs.fifo;
    return `${seconds.toFixed(1)} GB-s, ${count(invocations, 'invocation')} and ${count(requests, 'request')} to SQS. The prices of ${region} are not known here, so not what that costs`;
  }
  const parts = {
    Lambda: items.lambdaDuration + items.lambdaInvocations,
    SQS: items.sqsRequests,
    S3: items.s3Requests,
    transfer: items.transfer,
  };
  const named = Object.entries(parts).filter(([, part]) => part > 0);
  const shown = named.map(([name, part]) => `${name} ${moneyText(part)}`).join(', ');
  return `${meteredText(usd, counted)} as metered${shown && ` (${shown})`}, without log lines and free tiers`;
}
