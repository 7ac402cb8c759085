import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { FanfoldError, type PriceCorrections } from '../index.ts';
import { priceTable } from '../internal.ts';
import { reasonOf } from './inputs/reason.ts';

/** Adds the flag with prices to a command that shows what runs cost. */
export function addPrices(command: Command): Command {
  return command.option(
    '--prices <file>',
    'JSON with prices that replace AWS’s public ones, such as negotiated ones (see docs/costs.md)',
  );
}

/** Adds the flag that meters a run on this machine. */
export function addAsIf(command: Command): Command {
  return command.option(
    '--as-if <props>',
    'show what a run on this machine would cost on a stack with these properties, such as memory=1024,region=eu-central-1,architecture=arm64, or JSON',
  );
}

/**
 * Reads a file of prices; undefined if none is named.
 *
 * @throws FanfoldError `BadOption` when it can't be read, or is none
 */
export function pricesIn(path: string | undefined): PriceCorrections | undefined {
  if (path === undefined) return undefined;
  const source = `--prices ${path}`;
  const prices = parsed(path, source);
  priceTable(prices, source);
  return prices as PriceCorrections;
}

function parsed(path: string, source: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new FanfoldError('BadOption', `${source} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FanfoldError('BadOption', `${source} must be JSON: ${why}.`, { cause });
  }
}
