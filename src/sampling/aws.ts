import { deployedSize } from '../doctor/deployed-size.ts';
import { checkWhole, FanfoldError } from '../errors.ts';
import { type CallOptions, CHECKED, checkOptions, type Kind, OBJECT, TEXT } from '../options.ts';
import type { Bounds } from '../pipeline/messages/flow.ts';
import { parsedRate } from '../pipeline/messages/rate.ts';
import type { PlannedDeployment } from '../planning/planned-run.ts';
import {
  type PriceCorrections,
  type PriceTable,
  PUBLIC_PRICES,
  priceTable,
} from '../planning/price-table.ts';
import { PRICED_REGIONS } from '../planning/prices.ts';
import type { TaskFacts } from '../task.ts';
import type { World } from '../worlds/world.ts';

/** A deployment to plan for, which need not exist. */
export interface PlannedStack {
  /** Region, such as `eu-central-1`. */
  region: string;
  /** Memory of a worker, in MiB: 128 to 10240. @default 1024 */
  memoryMb?: number | undefined;
  /** @default 'arm64' */
  architecture?: 'arm64' | 'x86_64' | undefined;
  /** Most workers at once: 2 to 1000. @default 100 */
  maxConcurrency?: number | undefined;
  /** Those of them that the seed starts. @default half of `maxConcurrency`, at most 100 */
  burst?: number | undefined;
  /** Prices that replace AWS's public ones, such as negotiated ones. @default AWS's public prices */
  prices?: PriceCorrections | undefined;
}

/** The deployment of a plan, and sentences about what it supposes. */
export interface PlannedPlace {
  deployment: PlannedDeployment;
  prices: PriceTable;
  notes: string[];
}

const KINDS: Record<keyof PlannedStack, Kind> = {
  region: TEXT,
  memoryMb: CHECKED,
  architecture: ['"arm64" or "x86_64"', (value) => value === 'arm64' || value === 'x86_64'],
  maxConcurrency: CHECKED,
  burst: CHECKED,
  prices: OBJECT,
};

const OPTIONS: CallOptions = { call: '`aws` of plan()', kinds: KINDS, required: ['region'] };

/** Workers that the event source has at least, and starts beside the burst. */
const LEAST_SCALED = 2;
const MOST_BURST = 100;

/** AWS's default for an account. */
const ACCOUNT = 1_000;

/**
 * The deployment on AWS that a plan is for: the connection's stack, or the one that is described.
 * Undefined for a plan of another place.
 *
 * @throws FanfoldError `BadOption`
 */
export async function placeOf(
  { deployment: { metered, names, prices = PUBLIC_PRICES } }: World,
  given: PlannedStack | undefined,
  bounds: Bounds,
  { concurrency }: TaskFacts,
): Promise<PlannedPlace | undefined> {
  const within = (size: { maxConcurrency: number; burst: number }) =>
    withinBounds(size, bounds, concurrency);
  if (metered === undefined) {
    if (given === undefined) return undefined;
    const own = given.prices === undefined ? prices : priceTable(given.prices);
    const described = describedStack(given, own);
    const notes = [
      `This supposes that the account allows ${ACCOUNT} concurrent executions. New accounts have fewer: fanfold doctor checks yours.`,
    ];
    return { deployment: { ...described, ...within(described) }, prices: own, notes };
  }
  if (given !== undefined) {
    throw new FanfoldError(
      'BadOption',
      'The plan is for the stack that this connection is of, so `aws` must be left out. To plan for another one, use a connection to this machine.',
    );
  }
  checkRegion(metered.region, prices);
  const { notes, ...size } = await deployedSize(names.name);
  return { deployment: { region: metered.region, ...size, ...within(size) }, prices, notes };
}

function describedStack(given: PlannedStack, prices: PriceTable) {
  checkOptions(OPTIONS, given);
  const { region, memoryMb = 1_024, architecture = 'arm64', maxConcurrency = 100 } = given;
  checkRegion(region, prices);
  checkWhole('memoryMb', memoryMb, 128, 10_240);
  checkWhole('maxConcurrency', maxConcurrency, LEAST_SCALED, 1_000);
  const most = maxConcurrency - LEAST_SCALED;
  const { burst = Math.min(MOST_BURST, Math.floor(maxConcurrency / 2), most) } = given;
  checkWhole('burst', burst, 0, most);
  return { region, memoryMb, architecture, maxConcurrency, burst };
}

/** @throws FanfoldError `BadOption` for a region without prices */
function checkRegion(region: string, prices: PriceTable): void {
  if (prices.of(region) !== undefined) return;
  throw new FanfoldError(
    'BadOption',
    `The prices of the region "${region}" are not known here, so nothing can be planned for it. Known regions: ${PRICED_REGIONS.join(', ')}. \`prices\` can add others.`,
  );
}

/** The part of a deployment that a run with bounds uses. */
function withinBounds(
  { maxConcurrency, burst }: { maxConcurrency: number; burst: number },
  { concurrency = Number.POSITIVE_INFINITY, rate }: Bounds,
  each: number,
) {
  const most = Math.min(maxConcurrency, Math.max(LEAST_SCALED, Math.ceil(concurrency / each)));
  const parsed = rate === undefined ? undefined : parsedRate(rate);
  return {
    maxConcurrency: most,
    burst: Math.min(burst, most - LEAST_SCALED),
    concurrency: Math.min(each, concurrency),
    rate: parsed && (parsed.count * 1_000) / parsed.unitMs,
  };
}
