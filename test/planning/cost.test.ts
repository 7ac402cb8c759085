import { describe, expect, it } from 'vitest';
import { costSoFar, costText } from '../../src/cli/money.ts';
import { costOf } from '../../src/planning/cost.ts';
import { moneyText } from '../../src/planning/money.ts';
import { PRICED_REGIONS, pricesOf } from '../../src/planning/prices.ts';
import { noUsage, readUsage, type Usage, usageText } from '../../src/planning/usage.ts';

/** A million inputs of 100 ms, as in docs/deploy.md. */
const USAGE: Usage = {
  gbSeconds: { arm64: 100_345, x86_64: 0 },
  invocations: 1_995,
  sqs: { standard: 202_003, fair: 187_667, fifo: 0 },
  s3: { put: 0, get: 0 },
  transferBytes: 180_000_000,
  isLeast: false,
};

describe('prices', () => {
  it('are known for at least the ten largest regions, and are those of AWS', () => {
    expect(PRICED_REGIONS.length).toBeGreaterThanOrEqual(10);
    expect(pricesOf('us-east-1')).toEqual({
      lambda: { gbSecond: { arm64: 0.0000133334, x86_64: 0.0000166667 }, invocation: 0.0000002 },
      sqs: { standard: 0.4e-6, fair: 0.5e-6, fifo: 0.5e-6 },
      s3: { put: 0.000005, get: 0.0000004, gbMonth: 0.023 },
      event: 0.000001,
      ...{ logGb: 0.5, transferGb: 0.09 },
    });
  });

  it('are plausible everywhere', () => {
    for (const region of PRICED_REGIONS) {
      const { s3, transferGb, logGb = 0.5 } = pricesOf(region) ?? expect.fail(region);
      // AWS prices a GET at 0.08 of a PUT, rounded.
      expect(s3.get / s3.put, region).toBeCloseTo(0.08, 2);
      expect(s3.gbMonth, region).toBeGreaterThanOrEqual(0.023);
      expect(transferGb, region).toBeGreaterThanOrEqual(0.09);
      expect(logGb, region).toBeGreaterThanOrEqual(0.5);
    }
  });

  it.each(['mars-north-1', 'constructor', ''])('of the region "%s" are not known', (region) => {
    expect(pricesOf(region)).toBeUndefined();
    expect(costOf(region, USAGE)).toMatchObject({ usd: undefined, items: undefined, region });
  });
});

describe('the cost of a run', () => {
  it('is that in the documentation', () => {
    const { usd, items, excluded } = costOf('us-east-1', USAGE);
    expect(items).toEqual({
      lambdaDuration: expect.closeTo(1.338, 3),
      lambdaInvocations: expect.closeTo(0.0004, 4),
      sqsRequests: expect.closeTo(0.1746, 4),
      s3Requests: 0,
      transfer: expect.closeTo(0.0162, 4),
    });
    expect(usd).toBeCloseTo(1.529, 3);
    expect(excluded.join()).toContain('free tiers');
  });

  it('travels in a tag of a queue', () => {
    const text = usageText('eu-central-1', { ...USAGE, isLeast: true });
    expect(text).toMatch(/^[\w .:/=+@-]{1,256}$/);
    expect(readUsage(text)).toEqual({ region: 'eu-central-1', usage: { ...USAGE, isLeast: true } });
    for (const other of [
      undefined,
      '',
      'x',
      text.slice(1, 20),
      `${text} `,
      text.replace('n=', 'n=-'),
    ])
      expect(readUsage(other)).toBeUndefined();
  });
});

describe('money, to people', () => {
  it.each([
    [0, '$0.00'],
    [0.00001, 'less than $0.0001'],
    [0.0042, '$0.0042'],
    [0.42, '$0.42'],
    [1234.5, '$1,234.50'],
  ])('%d is %s', (usd, text) => expect(moneyText(usd)).toBe(text));

  it('is so far, and in all by the share of inputs that are done', () => {
    const cost = { ...costOf('us-east-1', USAGE), usd: 0.42 };
    expect(costSoFar(cost, { done: 40, total: 100 })).toBe('$0.42 so far, about $1.05 in all');
    expect(costSoFar(cost, { done: 1, total: 100 })).toBe('$0.42 so far');
    expect(costSoFar(cost, { done: 100, total: 100 })).toBe('$0.42 so far');
    expect(costSoFar(cost, { done: 40, total: undefined })).toBe('$0.42 so far');
    const least = { ...cost, counted: { ...USAGE, isLeast: true } };
    expect(costSoFar(least, { done: 1, total: 100 })).toBe('at least $0.42 so far');
    for (const none of [undefined, costOf('us-east-1', noUsage()), costOf('mars-1', USAGE)])
      expect(costSoFar(none, { done: 40, total: 100 })).toBeUndefined();
  });

  it('is told by item in the end, or as usage where prices are not known', () => {
    expect(costText(costOf('us-east-1', USAGE))).toBe(
      '$1.53 as metered (Lambda $1.34, SQS $0.17, transfer $0.0162), without log lines and free tiers',
    );
    expect(costText(costOf('mars-1', USAGE))).toBe(
      '100345.0 GB-s, 1995 invocations and 389670 requests to SQS. The prices of mars-1 are not known here, so not what that costs',
    );
  });
});
