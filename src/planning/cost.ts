import { type PriceTable, PUBLIC_PRICES } from './price-table.ts';
import { noUsage, type Usage } from './usage.ts';

/** What a run has cost so far, as metered, at AWS's public prices or those of `connect`. */
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
  /** Month of the prices, and whether some were replaced. */
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

export function costOf(
  region: string,
  counted: Usage = noUsage(),
  table: PriceTable = PUBLIC_PRICES,
): Cost {
  const prices = table.of(region);
  const about = { region, counted, excluded: EXCLUDED, pricesOf: table.pricesOf };
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

/** Anything with a cost, at other prices. @param prices default: it stays as it is */
export function repriced<Of extends { cost?: Cost | undefined }>(
  of: Of,
  { prices }: { prices?: PriceTable | undefined },
): Of {
  if (of.cost === undefined || prices === undefined) return of;
  return { ...of, cost: costOf(of.cost.region, of.cost.counted, prices) };
}
