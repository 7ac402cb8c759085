import { describe, expect, it } from 'vitest';
import { costOf } from '../../src/planning/cost.ts';
import { priceTable } from '../../src/planning/price-table.ts';
import { pricesOf } from '../../src/planning/prices.ts';
import { noUsage } from '../../src/planning/usage.ts';

/** All prices of a region but `logGb`. */
const WHOLE = {
  lambda: { gbSecond: { arm64: 0.1, x86_64: 0.2 }, invocation: 0.3 },
  sqs: { standard: 0.4, fair: 0.5, fifo: 0.6 },
  s3: { put: 0.7, get: 0.8, gbMonth: 0.9 },
  event: 1,
  transferGb: 1.1,
};

describe('prices that replace public ones', () => {
  it('are those of a region, and leave the others', () => {
    const table = priceTable({ 'eu-central-1': { lambda: { gbSecond: { arm64: 0.00001 } } } });
    const before = pricesOf('eu-central-1') ?? expect.fail();
    expect(table.of('eu-central-1')).toEqual({
      ...before,
      lambda: { ...before.lambda, gbSecond: { ...before.lambda.gbSecond, arm64: 0.00001 } },
    });
    expect(table.of('us-east-1')).toEqual(pricesOf('us-east-1'));
  });

  it('are those of all regions, before which those of a region come', () => {
    const table = priceTable({ '*': { event: 0, transferGb: 1 }, 'us-east-1': { transferGb: 2 } });
    expect(table.of('sa-east-1')).toMatchObject({ event: 0, transferGb: 1 });
    expect(table.of('us-east-1')).toMatchObject({ event: 0, transferGb: 2 });
    expect(table.of('mars-north-1')).toBeUndefined();
  });

  it('can add a region', () => {
    const table = priceTable({ 'eu-south-2': WHOLE });
    expect(table.of('eu-south-2')).toEqual({ ...WHOLE, logGb: undefined });
    const usage = { ...noUsage(), invocations: 10, gbSeconds: { arm64: 1, x86_64: 0 } };
    const { usd, pricesOf: month } = costOf('eu-south-2', usage, table);
    expect(usd).toBeCloseTo(3.1);
    expect(month).toContain('some replaced');
  });

  it.each([
    ['no object', [], 'must be an object of prices by region'],
    ['a text', 'cheap', 'got "cheap"'],
    ['a number for a region', { 'us-east-1': 5 }, 'the prices of "us-east-1" must be an object'],
    ['a number for a group', { 'us-east-1': { sqs: 5 } }, '"us-east-1".sqs must be an object'],
    [
      'an unknown name',
      { 'us-east-1': { lamda: {} } },
      'has no price "lamda". The prices are lambda',
    ],
    ['an unknown name in a group', { '*': { s3: { head: 1 } } }, 'has no price "s3.head"'],
    ['a negative price', { 'us-east-1': { event: -1 } }, '"event" of "us-east-1" must be a number'],
    ['a price as a text', { 'us-east-1': { event: '1' } }, 'from 0; got "1"'],
    ['a price that is no number', { 'us-east-1': { event: Number.NaN } }, 'got NaN'],
    ['a part of a new region', { mars: { event: 1 } }, 'missing: lambda.gbSecond.arm64'],
  ])('are refused: %s', (_, given, why) => {
    expect(() => priceTable(given, '--prices file.json')).toThrow(why);
    expect(() => priceTable(given, '--prices file.json')).toThrow('--prices file.json');
  });
});
