import type { Plan, PlannedOnAws, PlannedSample, Range, Size } from '../index.ts';
import { duration, moneyText } from '../internal.ts';
import { count } from './log.ts';

/** Width of the first column. */
const WIDTH = 10;

type Row = [title: string, text: string];

/** A plan for people. @param startSeconds until the command could begin a run */
export function linesOf(plan: Plan, startSeconds: number): string[] {
  const { task, inputs, inputBytes, sample, seconds, limitedBy, aws, notes } = plan;
  const start = aws ? '' : `, and ${duration(startSeconds * 1000)} before it to start`;
  const rows: Row[] = [
    ['task', `${task}, ${count(inputs, 'input')}, ${bytesText(inputBytes)}`],
    ['sample', sampleText(sample)],
    ...sample.failures.map((kind): Row => ['', `failed: ${kind}`]),
    ['time', `${secondsText(seconds)}${start}`],
    ...(aws ? awsRows(aws) : []),
    ['limited by', limitedBy],
    ...notes.map((note): Row => ['note', note]),
  ];
  return rows.map(([title, text]) => `${title.padEnd(WIDTH)}  ${text}`);
}

function sampleText({ inputs, ok, failed, attempts, ms, ...of }: PlannedSample): string {
  const memory = of.peakMemoryMb === undefined ? '' : `, ${of.peakMemoryMb.toFixed(0)} MB a worker`;
  const cost = of.usd === undefined ? '' : `; it has cost ${moneyText(of.usd)}`;
  return [
    `${count(inputs, 'input')} in ${duration(of.seconds * 1000)}: ${ok} ok, ${failed} failed, ${attempts.toFixed(2)} attempts each`,
    `${duration(ms.mean)} on average, median ${duration(ms.p50)}, 95% within ${duration(ms.p95)}, longest ${duration(ms.max)}`,
    `outputs of ${bytesText(of.outputBytes)}${memory}${cost}`,
  ].join('; ');
}

function awsRows({ deployment, ...aws }: PlannedOnAws): Row[] {
  const { items, counted, usd } = aws;
  const { memoryMb, maxConcurrency, burst, region, architecture } = deployment;
  const requests = counted.sqs.standard + counted.sqs.fair + counted.sqs.fifo;
  const all =
    aws.secondsToAllWorkers === undefined
      ? ''
      : `, all busy after ${duration(aws.secondsToAllWorkers * 1000)}`;
  const parts: [keyof typeof items, string][] = [
    ['lambdaDuration', `Lambda, ${numberText(counted.gbSeconds[architecture])} GB-s`],
    ['lambdaInvocations', `Lambda, ${count(counted.invocations, 'invocation')}`],
    ['sqsRequests', `SQS, ${count(requests, 'request')}`],
    ['s3Requests', `S3, ${count(counted.s3.put + counted.s3.get, 'request')}`],
    ['logs', 'log lines of the functions'],
    ['transfer', `results out of AWS, ${bytesText(counted.transferBytes)}`],
  ];
  return [
    [
      'workers',
      `${aws.peakWorkers} at most${all}; ${memoryMb} MB, ${architecture}, ${region}, of ${maxConcurrency} workers ${burst} burst`,
    ],
    ['cost', `${usdText(usd)}, at the prices of ${aws.pricesOf}`],
    ...parts
      .filter(([name]) => items[name].high > 0)
      .map(([name, what]): Row => ['', `${what}: ${usdText(items[name])}`]),
    ...aws.sizes.map((size, at): Row => [at === 0 ? 'sizes' : '', sizeText(size)]),
    ...aws.elsewhere.map(({ name, usd }, at): Row => {
      return [at === 0 ? 'elsewhere' : '', `${name}: ${moneyText(usd)}`];
    }),
  ];
}

function sizeText(size: Size): string {
  const marks = [
    ...(size.isPlanned ? ['this plan'] : []),
    ...(size.isCheapest ? ['cheapest'] : []),
    ...(size.isFastest ? ['fastest'] : []),
  ];
  const what = `${String(size.memoryMb).padStart(5)} MB, ${String(size.maxConcurrency).padStart(4)} workers`;
  const [time, cost] = [duration(size.seconds * 1000), moneyText(size.usd)];
  const marked = marks.length === 0 ? '' : `  (${marks.join(', ')})`;
  return `${what}: ${time.padEnd(13)} ${cost}${marked}`;
}

/** A range of times, such as `about 3.4 s (3 s to 3.9 s)`. */
export function secondsText({ low, likely, high }: Range): string {
  const text = (seconds: number) => duration(seconds * 1000);
  return `about ${text(likely)} (${text(low)} to ${text(high)})`;
}

function usdText({ low, likely, high }: Range): string {
  const texts = [likely, low, high].map(moneyText);
  const [about = '', least, most] = texts;
  // A cent of a cent has no range.
  return new Set(texts).size === 1 ? about : `${about} (${least} to ${most})`;
}

function numberText(number: number): string {
  return number.toLocaleString('en-US', { maximumFractionDigits: number < 100 ? 1 : 0 });
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

function bytesText(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const number = bytes / 1000 ** unit;
  return `${unit === 0 ? Math.round(number) : number.toPrecision(3)} ${UNITS[unit]}`;
}
