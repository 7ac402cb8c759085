import { type Command, Option } from 'commander';
import type { LogLine } from '../index.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Least important lines that a long-running command prints. */
export type LogLevel = LogLine['level'];

/**
 * @param effect what the levels mean for the command
 * @param fallback the level without the option; undefined if it depends on other options
 */
export function addLogLevel(
  command: Command,
  effect: string,
  fallback: LogLevel | undefined,
): Command {
  const option = new Option('--log-level <level>', `lines to print: ${effect}`);
  return command.addOption(option.choices(LEVELS).default(fallback));
}

/** Whether lines of a level are printed. */
export function prints(least: LogLevel, level: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}
