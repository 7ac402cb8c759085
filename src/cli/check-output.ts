import { type BigIntStats, fstatSync, lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { FanfoldError } from '../index.ts';
import type { InputFile } from './inputs/index.ts';
import { checkLog } from './resume/kept-log.ts';
import { checkPart } from './resume/previous-results.ts';
import { RunRecord } from './resume/record.ts';

const STANDARD_OUTPUT = new Set(['-', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']);

/** The output file; undefined for standard output, under any of its names. */
export function outputOf(given: string | undefined): string | undefined {
  return given !== undefined && STANDARD_OUTPUT.has(given) ? undefined : given;
}

/** The refusal of an output that has something which only its user can give up. */
export class OutputTaken extends FanfoldError {
  /** A sentence about the existing output. */
  readonly fact: string;
  /** True if a run can be resumed there. */
  readonly isResumable: boolean;

  constructor(fact: string, remedy: string, isResumable: boolean) {
    super('BadOption', `${fact} ${remedy}`);
    this.fact = fact;
    this.isResumable = isResumable;
  }
}

/** Permissions of a command for an output that exists. */
export interface Replacing {
  resume?: boolean | string;
  overwrite?: boolean;
  /** True if the command has `--resume`. @default true */
  hasResume?: boolean;
}

/**
 * Refuses, before any work is done, an output that can't be written, or that would overwrite an
 * input, a file of another program, or earlier results.
 *
 * @param reads the files that the inputs are, or are read from
 */
export function checkOutput(
  output: string | undefined,
  reads: readonly InputFile[],
  replacing: Replacing,
): void {
  if (output === undefined) {
    checkStandardOutput(reads);
    return;
  }
  const folder = dirname(output);
  if (!statOf(folder)?.isDirectory()) {
    throw new FanfoldError(
      'BadOption',
      `--output ${output}: the folder ${folder} does not exist. Create it first (mkdir -p), or name another.`,
    );
  }
  const old = statOf(output);
  if (old?.isDirectory() || output.endsWith('/')) {
    throw new FanfoldError('BadOption', `--output ${output} is a folder: name a file in it.`);
  }
  if (old && !old.isFile()) return;
  if (!old && lstatSync(output, { throwIfNoEntry: false })?.isSymbolicLink()) {
    const to = readlinkSync(output);
    throw new FanfoldError(
      'BadOption',
      `--output ${output} is a link to ${to}, which does not exist. Delete the link, or name another file.`,
    );
  }
  checkInputs(output, reads);
  RunRecord.check(output);
  checkPart(output);
  checkLog(output);
  checkReplaced(output, old?.size ?? 0n, replacing);
}

/** Refuses to replace results, or the only knowledge of a run that continues elsewhere. */
function checkReplaced(output: string, size: bigint, replacing: Replacing): void {
  const { resume, overwrite, hasResume = true } = replacing;
  if (resume || overwrite) return;
  const refuse = (fact: string, remedy?: string) => {
    const isResumable = hasResume && remedy !== undefined;
    const other = 'Name another file, or give --overwrite to replace it.';
    throw new OutputTaken(`--output ${output} ${fact}.`, isResumable ? remedy : other, isResumable);
  };
  const isOurs = RunRecord.exists(output);
  if (size > 0n) {
    if (!isOurs) refuse('exists already');
    const remedy =
      'Give --resume to run the inputs that have none yet, or --overwrite to replace them.';
    refuse('has the results of an earlier run', remedy);
  }
  const runId = isOurs ? RunRecord.runOf(output) : undefined;
  if (runId === undefined) return;
  const remedy = 'Give --resume to collect its results, or --overwrite to start another run.';
  refuse(`belongs to run ${runId}, which may not be over yet`, remedy);
}

/** Compares files by device and inode: links and mounts give a file several names. */
function checkInputs(output: string, reads: readonly InputFile[]): void {
  const written = RunRecord.filesOf(output).flatMap((path) => {
    const stats = statOf(path);
    return stats ? [{ path, stats }] : [];
  });
  if (written.length === 0) return;
  for (const { file, name, isMatch } of reads) {
    const read = statOf(file);
    const place = read && written.find(({ stats }) => isSame(stats, read))?.path;
    if (place === undefined) continue;
    const remedy = isMatch
      ? 'Name another file, or leave it out of the pattern'
      : 'Name another file';
    const what = isMatch ? `${name}, which --glob matches` : `the input ${name}`;
    throw new FanfoldError(
      'BadOption',
      place === output
        ? `--output ${output} is the input: the results would overwrite ${what}. ${remedy}.`
        : `--output ${output} also writes ${place}, which is the input: this would overwrite ${what}. ${remedy}.`,
    );
  }
}

/** Refuses to append results to a file that is being read: they would become inputs endlessly. */
function checkStandardOutput(reads: readonly InputFile[]): void {
  const written = statOf(process.stdout.fd);
  if (!written?.isFile()) return;
  for (const { file, name, isMatch } of reads) {
    const read = isMatch ? undefined : statOf(file);
    if (!read || !isSame(read, written)) continue;
    throw new FanfoldError(
      'BadOption',
      `Standard output is redirected to the input ${name}: results would be read as inputs. Name another file.`,
    );
  }
}

function statOf(file: string | number): BigIntStats | undefined {
  try {
    return typeof file === 'number'
      ? fstatSync(file, { bigint: true })
      : statSync(file, { bigint: true });
  } catch {
    // Opening reports a file that is missing or not readable.
    return undefined;
  }
}

/** True if both paths lead to one file, which links and mounts give several names. */
export function isSameFile(path: string, other: string | number): boolean {
  const [one, two] = [statOf(path), statOf(other)];
  return one !== undefined && two !== undefined && isSame(one, two);
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return one.isFile() && one.dev === other.dev && one.ino === other.ino;
}
