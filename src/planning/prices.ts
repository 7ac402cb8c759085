/**
 * AWS's public prices in USD, without free tiers and volume discounts. Each figure is that of its
 * first tier.
 *
 * Sources: AWS's price list (`pricing.us-east-1.amazonaws.com/offers/v1.0/aws/<offer>/current/<region>`)
 * and its pricing pages, as published from May to September 2026:
 * - Lambda: aws.amazon.com/lambda/pricing. All regions here have the same price; Cape Town, Hong
 *   Kong, Milan, Bahrain and the UAE do not, and are left out.
 * - SQS: aws.amazon.com/sqs/pricing; offer AWSQueueService. A request to a fair queue is one to a
 *   standard queue with $0.10 a million more.
 * - S3: aws.amazon.com/s3/pricing; offer AmazonS3, usage types Requests-Tier1, Requests-Tier2 and
 *   TimedStorage-ByteHrs.
 * - EventBridge: aws.amazon.com/eventbridge/pricing.
 * - CloudWatch Logs: aws.amazon.com/cloudwatch/pricing; usage type DataProcessing-Bytes.
 * - Transfer out: aws.amazon.com/ec2/pricing/on-demand, "Data Transfer OUT"; offer AWSDataTransfer.
 *
 * A region whose figures were not all found is left out, except for logs.
 */
export const PRICES_OF = '2026-09';

/** Prices of a region, each of one unit. */
export interface Prices {
  lambda: {
    /** A GB-second, by architecture. 1 GB is 1,024 MB of memory. */
    gbSecond: { arm64: number; x86_64: number };
    invocation: number;
  };
  /** A request: each 64 KiB of a call's payload is one. */
  sqs: { standard: number; fair: number; fifo: number };
  s3: {
    /** A PUT, COPY, POST or LIST. */
    put: number;
    /** A GET, and all others but DELETE, which is free. */
    get: number;
    gbMonth: number;
  };
  /** An event that a program puts on EventBridge. */
  event: number;
  /** A GB that CloudWatch Logs takes in; undefined if it was not found. */
  logGb: number | undefined;
  /** A GB out of AWS to the internet. */
  transferGb: number;
}

const LAMBDA: Prices['lambda'] = {
  gbSecond: { arm64: 0.0000133334, x86_64: 0.0000166667 },
  invocation: 0.0000002,
};
const SQS: Prices['sqs'] = { standard: 0.0000004, fair: 0.0000005, fifo: 0.0000005 };
const EVENT = 0.000001;

/** What differs between regions. */
interface Differing {
  /** For 1,000. */
  put: number;
  /** For 10,000. */
  get: number;
  gbMonth: number;
  logGb?: number;
  transferGb: number;
}

const REGIONS: Readonly<Record<string, Differing>> = {
  'us-east-1': { put: 0.005, get: 0.004, gbMonth: 0.023, logGb: 0.5, transferGb: 0.09 },
  'us-east-2': { put: 0.005, get: 0.004, gbMonth: 0.023, logGb: 0.5, transferGb: 0.09 },
  'us-west-2': { put: 0.005, get: 0.004, gbMonth: 0.023, logGb: 0.5, transferGb: 0.09 },
  'ca-central-1': { put: 0.0055, get: 0.0044, gbMonth: 0.025, logGb: 0.55, transferGb: 0.09 },
  'eu-west-1': { put: 0.005, get: 0.004, gbMonth: 0.023, logGb: 0.57, transferGb: 0.09 },
  'eu-west-2': { put: 0.0053, get: 0.0042, gbMonth: 0.024, transferGb: 0.09 },
  'eu-central-1': { put: 0.0054, get: 0.0043, gbMonth: 0.0245, logGb: 0.63, transferGb: 0.09 },
  'ap-northeast-1': { put: 0.0047, get: 0.0037, gbMonth: 0.025, logGb: 0.76, transferGb: 0.114 },
  'ap-south-1': { put: 0.005, get: 0.004, gbMonth: 0.025, logGb: 0.67, transferGb: 0.1093 },
  'ap-southeast-1': { put: 0.005, get: 0.004, gbMonth: 0.025, logGb: 0.7, transferGb: 0.12 },
  'ap-southeast-2': { put: 0.0055, get: 0.0044, gbMonth: 0.025, logGb: 0.67, transferGb: 0.114 },
  'sa-east-1': { put: 0.007, get: 0.0056, gbMonth: 0.0405, transferGb: 0.15 },
};

/** The regions whose prices are known. */
export const PRICED_REGIONS: readonly string[] = Object.keys(REGIONS);

/** The prices of a region; undefined if they are not known here. */
export function pricesOf(region: string): Prices | undefined {
  if (!Object.hasOwn(REGIONS, region)) return undefined;
  const { put, get, gbMonth, logGb, transferGb } = REGIONS[region] as Differing;
  const s3 = { put: put / 1_000, get: get / 10_000, gbMonth };
  return { lambda: LAMBDA, sqs: SQS, s3, event: EVENT, logGb, transferGb };
}
