/** What was used of AWS, in the units that it bills. */
export interface Usage {
  /** GB-seconds of functions, by architecture. */
  gbSeconds: { arm64: number; x86_64: number };
  /** Invocations of functions. */
  invocations: number;
  /** Requests to SQS, by the kind of queue. Each 64 KiB of a call's payload is one. */
  sqs: { standard: number; fair: number; fifo: number };
  /** Requests to S3: PUT, COPY, POST and LIST, and those that cost as much as a GET. */
  s3: { put: number; get: number };
  /** Bytes that left AWS. */
  transferBytes: number;
  /** Whether there was more that could not be counted. */
  isLeast: boolean;
}

export function noUsage(): Usage {
  return {
    gbSeconds: { arm64: 0, x86_64: 0 },
    invocations: 0,
    sqs: { standard: 0, fair: 0, fifo: 0 },
    s3: { put: 0, get: 0 },
    transferBytes: 0,
    isLeast: false,
  };
}

/** Characters of a tag of SQS: letters, digits, spaces and _ . : / = + - @. */
const TEXT =
  /^([a-z0-9-]{3,40}) ms=(\d{1,15})\/(\d{1,15}) n=(\d{1,15}) sqs=(\d{1,15})\/(\d{1,15})\/(\d{1,15}) s3=(\d{1,15})\/(\d{1,15}) out=(\d{1,15})(\+?)$/;

/** A usage in a region as a short text, which fits in a tag of a queue. */
export function usageText(region: string, usage: Usage): string {
  const { gbSeconds, invocations, sqs, s3, transferBytes, isLeast } = usage;
  const ms = [gbSeconds.arm64, gbSeconds.x86_64].map((seconds) => Math.round(seconds * 1000));
  return [
    `${region} ms=${ms.join('/')} n=${invocations}`,
    `sqs=${sqs.standard}/${sqs.fair}/${sqs.fifo} s3=${s3.put}/${s3.get}`,
    `out=${transferBytes}${isLeast ? '+' : ''}`,
  ].join(' ');
}

/** Reads such a text; undefined if it is none. */
export function readUsage(text: string | undefined): { region: string; usage: Usage } | undefined {
  const [, region, ...parts] = TEXT.exec(text ?? '') ?? [];
  if (region === undefined) return undefined;
  const more = parts.pop();
  const [arm64 = 0, x86_64 = 0, invocations = 0, standard = 0, fair = 0, ...rest] =
    parts.map(Number);
  const [fifo = 0, put = 0, get = 0, transferBytes = 0] = rest;
  const usage = {
    gbSeconds: { arm64: arm64 / 1000, x86_64: x86_64 / 1000 },
    invocations,
    ...{ sqs: { standard, fair, fifo }, s3: { put, get }, transferBytes, isLeast: more === '+' },
  };
  return { region, usage };
}
