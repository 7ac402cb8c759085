import { readFileSync } from 'node:fs';
import { FanfoldError } from '../index.ts';
import { reasonOf } from './inputs/reason.ts';

/** Reads a file that an option names. @throws FanfoldError `BadOption` if it cannot be read */
export function readNamed(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = `${option} ${file} cannot be read: ${reasonOf(cause)}.`;
    throw new FanfoldError('BadOption', why, { cause });
  }
}
