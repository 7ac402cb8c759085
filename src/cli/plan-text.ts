import type { Plan, PlannedSample, Range } from '../index.ts';
import { duration } from '../internal.ts';
import { count } from './log.ts';

/** Width of the first column. */
const WIDTH = 10;

/** A plan for people. @param startSeconds until the workers have started */
export function linesOf(plan: Plan, startSeconds: number): string[] {
  const { task, inputs, inputBytes, sample, seconds, limitedBy } = plan;
  const rows = [
    ['task', `${task}, ${count(inputs, 'input')}, ${bytesText(inputBytes)}`],
    ['sample', sampleText(sample)],
    ...sample.failures.map((kind) => ['', `failed: ${kind}`]),
    ['time', `${secondsText(seconds)}, and ${duration(startSeconds * 1000)} before it to start`],
    ['limited by', limitedBy],
  ];
  return rows.map(([title = '', text]) => `${title.padEnd(WIDTH)}  ${text}`);
}

function sampleText({ inputs, ok, failed, attempts, ms, ...of }: PlannedSample): string {
  const memory = of.peakMemoryMb === undefined ? '' : `, ${of.peakMemoryMb.toFixed(0)} MB a worker`;
  return [
    `${count(inputs, 'input')} in ${duration(of.seconds * 1000)}: ${ok} ok, ${failed} failed, ${attempts.toFixed(2)} attempts each`,
    `${duration(ms.mean)} on average, median ${duration(ms.p50)}, 95% within ${duration(ms.p95)}, longest ${duration(ms.max)}`,
    `outputs of ${bytesText(of.outputBytes)}${memory}`,
  ].join('; ');
}

/** A range of times, such as `about 3.4 s (3 s to 3.9 s)`. */
export function secondsText({ low, likely, high }: Range): string {
  const text = (seconds: number) => duration(seconds * 1000);
  return `about ${text(likely)} (${text(low)} to ${text(high)})`;
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

function bytesText(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const number = bytes / 1000 ** unit;
  return `${unit === 0 ? Math.round(number) : number.toPrecision(3)} ${UNITS[unit]}`;
}
