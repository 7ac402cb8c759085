import { PRICES_OF, pricesOf } from './prices.ts';
import { noUsage, type Usage } from './usage.ts';

/** What a run has cost so far, as metered, at AWS's public prices. */
export interface Cost {
  /** US dollars; undefined if the prices of the region are not known. */
  usd: number | undefined;
  /** The region, such as `eu-central-1`. */
  region: string;
  /** US dollars by item; undefined if the prices of the region are not known. */
  items: CostItems | undefined;
  /** What was counted. */
  counted: Usage;
  /** What is not in it. */
  excluded: readonly string[];
  /** Month of the prices. */
  pricesOf: string;
}

/** US dollars by item. */
export interface CostItems {
  /** Duration of functions. */
  lambdaDuration: number;
  /** Invocations of functions. */
  lambdaInvocations: number;
  sqsRequests: number;
  s3Requests: number;
  /** Results that left AWS. */
  transfer: number;
}

/** What a run's cost does not contain. */
const EXCLUDED: readonly string[] = [
  'log lines, X-Ray traces and metrics',
  'storage of results, and events',
  'calls of tasks to AWS',
  'what the stack costs without runs',
  'free tiers, volume discounts and taxes',
];

export function costOf(region: string, counted: Usage = noUsage()): Cost {
  const prices = pricesOf(region);
  const about = { region, counted, excluded: EXCLUDED, pricesOf: PRICES_OF };
  if (prices === undefined) return { usd: undefined, items: undefined, ...about };
  const { lambda, sqs, s3, transferGb } = prices;
  const { gbSeconds } = counted;
  const items: CostItems = {
    lambdaDuration:
      gbSeconds.arm64 * lambda.gbSecond.arm64 + gbSeconds.x86_64 * lambda.gbSecond.x86_64,
    lambdaInvocations: counted.invocations * lambda.invocation,
    sqsRequests:
      counted.sqs.standard * sqs.standard +
      counted.sqs.fair * sqs.fair +
      counted.sqs.fifo * sqs.fifo,
    s3Requests: counted.s3.put * s3.put + counted.s3.get * s3.get,
    transfer: (counted.transferBytes / 1e9) * transferGb,
  };
  const usd = Object.values(items).reduce((sum: number, item: number) => sum + item, 0);
  return { usd, items, ...about };
}
