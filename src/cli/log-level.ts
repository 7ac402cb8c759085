import { type Command, Option } from 'commander';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Least important lines that a long-running command prints. */
export type LogLevel = (typeof LEVELS)[number];

/** @param effect what the levels mean for the command */
export function addLogLevel(command: Command, effect: string): Command {
  const option = new Option('--log-level <level>', `lines to print: ${effect}`);
  return command.addOption(option.choices(LEVELS).default('info'));
}

/** Whether lines of a level are printed. */
export function prints(least: LogLevel, level: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}
