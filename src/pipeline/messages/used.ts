/**
 * What one process has used for one run since the process started. All numbers only grow, so a
 * reader that keeps the largest of each is right whether messages arrive twice, late or not at all.
 */
export interface Used {
  /** Id of the process's account for the run. */
  id: string;
  /** Memory of its function in MiB; 0 if it is no function. */
  memoryMb: number;
  isArm: boolean;
  /** Milliseconds that are billed. */
  ms: number;
  invocations: number;
  /** Requests to SQS, by the kind of queue. */
  standard: number;
  fair: number;
  fifo: number;
  /** Requests to S3. */
  put: number;
  get: number;
  /** Bytes that left AWS. */
  bytes: number;
  /** Milliseconds that it will use until its end if it finds nothing more to do. Does not grow. */
  tailMs: number;
}

/** The numbers of a `Used` that grow. */
export const GROWING = [
  ...(['ms', 'invocations', 'standard', 'fair', 'fifo', 'put', 'get', 'bytes'] as const),
] as const;

/** The same in a message: the growing numbers are in their order, and `tailMs` is last. */
export type UsedFields = [id: string, memoryMb: number, isArm: 0 | 1, ...numbers: number[]];

export function fieldsOf(used: Used): UsedFields {
  const { id, memoryMb, isArm, tailMs } = used;
  return [id, memoryMb, isArm ? 1 : 0, ...GROWING.map((name) => Math.ceil(used[name])), tailMs];
}

/** Longest part of a message's first line that is searched: a worker's name may be long. */
const HEAD_LENGTH = 2_500;

const FIELDS = /,"used":(\["[\w.-]{1,40}",\d{1,5},[01](?:,\d{1,13}){9}\])[,}]/;

/**
 * Reads what a message of results says that its worker has used; undefined if it says nothing. The
 * results begin on the second line.
 */
export function readUsed(body: string): Used | undefined {
  const head = body.slice(0, Math.min(HEAD_LENGTH, Math.max(0, body.indexOf('\n'))));
  const [, text] = FIELDS.exec(head) ?? [];
  return text === undefined ? undefined : usedOf(JSON.parse(text) as UsedFields);
}

export function usedOf([id, memoryMb, isArm, ...numbers]: UsedFields): Used {
  const [ms = 0, invocations = 0, standard = 0, fair = 0, fifo = 0, ...rest] = numbers;
  const [put = 0, get = 0, bytes = 0, tailMs = 0] = rest;
  const requests = { standard, fair, fifo, put, get, bytes };
  return { id, memoryMb, isArm: isArm === 1, ms, invocations, ...requests, tailMs };
}
