import { FanfoldError, valueText } from '../errors.ts';
import { PRICED_REGIONS, PRICES_OF, type Prices, pricesOf } from './prices.ts';

/** Any part of a region's prices. */
type Part<Whole> = {
  [Name in keyof Whole]?: Whole[Name] extends object ? Part<Whole[Name]> : number;
};

/**
 * Prices that replace AWS's public ones, such as negotiated ones, by region: each in US dollars of
 * one unit. Those of `*` are of all regions; those of a region come before them. A region that is
 * not known is added, and must have all prices but `logGb`.
 */
export type PriceCorrections = Readonly<Record<string, Part<Prices>>>;

/** The prices of all regions. */
export interface PriceTable {
  /** The prices of a region; undefined if they are not known. */
  of(region: string): Prices | undefined;
  /** Month of the public prices, and whether some were replaced. */
  readonly pricesOf: string;
}

export const PUBLIC_PRICES: PriceTable = { of: pricesOf, pricesOf: PRICES_OF };

const EVERYWHERE = '*';

/** Names of all prices, as a path: each is a number. */
const NAMES = [
  'lambda.gbSecond.arm64',
  'lambda.gbSecond.x86_64',
  'lambda.invocation',
  'sqs.standard',
  'sqs.fair',
  'sqs.fifo',
  's3.put',
  's3.get',
  's3.gbMonth',
  'event',
  'logGb',
  'transferGb',
];

/** The price that a region may lack. */
const OPTIONAL = 'logGb';

/**
 * Prices with some replaced.
 *
 * @param source what has them, such as `--prices FILE`, for messages
 * @throws FanfoldError `BadOption` for an unknown name, a price that is no number from 0, and a
 * region of which some prices are missing
 */
export function priceTable(corrections: unknown, source = '`prices`'): PriceTable {
  if (!isObject(corrections)) {
    throw wrong(
      `${source} must be an object of prices by region, such as {"eu-central-1": {"lambda": {"invocation": 0.0000002}}}; got ${valueText(corrections)}.`,
    );
  }
  const replaced = new Map(
    Object.entries(corrections).map(([region, part]) => [region, leavesOf(region, part, source)]),
  );
  const everywhere = replaced.get(EVERYWHERE) ?? [];
  const regions = [...PRICED_REGIONS, ...replaced.keys()].filter((one) => one !== EVERYWHERE);
  const table = new Map(
    regions.map((region) => {
      const own = [...everywhere, ...(replaced.get(region) ?? [])];
      return [region, pricesWith(region, new Map(own), source)];
    }),
  );
  return { of: (region) => table.get(region), pricesOf: `${PRICES_OF}, some replaced` };
}

type Leaf = [name: string, price: number];

/** The prices that an object has, by their paths. */
function leavesOf(region: string, part: unknown, source: string, path = ''): Leaf[] {
  const shown = path === '' ? '' : `.${path}`;
  if (!isObject(part)) {
    throw wrong(
      `${source}: the prices of "${region}"${shown} must be an object; got ${valueText(part)}.`,
    );
  }
  return Object.entries(part).flatMap(([key, value]): Leaf[] => {
    const name = path === '' ? key : `${path}.${key}`;
    if (NAMES.includes(name)) {
      if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return [[name, value]];
      throw wrong(
        `${source}: "${name}" of "${region}" must be a number of US dollars from 0; got ${valueText(value)}.`,
      );
    }
    if (NAMES.some((one) => one.startsWith(`${name}.`)))
      return leavesOf(region, value, source, name);
    throw wrong(
      `${source}: "${region}" has no price "${name}". The prices are ${NAMES.join(', ')}, and each is of one unit.`,
    );
  });
}

function pricesWith(region: string, own: Map<string, number>, source: string): Prices {
  const known = pricesOf(region);
  const publicOnes = new Map(known && leavesOf(region, withoutUndefined(known), ''));
  const price = (name: string) => own.get(name) ?? publicOnes.get(name);
  const missing = NAMES.filter((name) => name !== OPTIONAL && price(name) === undefined);
  if (missing.length > 0) {
    throw wrong(
      `${source}: the public prices of "${region}" are not known here, so all of its prices must be given; missing: ${missing.join(', ')}. Known regions: ${PRICED_REGIONS.join(', ')}.`,
    );
  }
  const of = (name: string) => price(name) ?? 0;
  return {
    lambda: {
      gbSecond: { arm64: of('lambda.gbSecond.arm64'), x86_64: of('lambda.gbSecond.x86_64') },
      invocation: of('lambda.invocation'),
    },
    sqs: { standard: of('sqs.standard'), fair: of('sqs.fair'), fifo: of('sqs.fifo') },
    s3: { put: of('s3.put'), get: of('s3.get'), gbMonth: of('s3.gbMonth') },
    event: of('event'),
    logGb: price(OPTIONAL),
    transferGb: of('transferGb'),
  };
}

function withoutUndefined(prices: Prices): unknown {
  return Object.fromEntries(Object.entries(prices).filter(([, value]) => value !== undefined));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(why: string): FanfoldError {
  return new FanfoldError('BadOption', why);
}
