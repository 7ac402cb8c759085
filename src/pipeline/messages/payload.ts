/** Largest input, and largest output, in bytes of its JSON text. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;

/**
 * A text that travels in an object of the deployment's bucket, since no message can hold it. A
 * message has these facts instead of it. The object's key is not among them: its reader computes it.
 */
export interface Payload {
  bytes: number;
  /** In hex. */
  sha256: string;
}

/** An output in an object. Each attempt that reports one has an object of its own. */
export interface OutputPayload extends Payload {
  /** The object's name in the folder of its run. */
  name: string;
}

const FACTS = '"bytes":([1-9]\\d{0,7}),"sha256":"([\\da-f]{64})"\\}';
const ITEM = new RegExp(`^null,\\{${FACTS}$`);
/** The index of an input, which has at most nine digits. */
const INDEX = '(0|[1-9]\\d{0,8})';
const NAME = `output-${INDEX}-[\\da-z]{20}`;
const RESULT = new RegExp(
  `^(\\{"index":${INDEX},"status":"ok",)"payload":\\{"name":"(${NAME})",${FACTS}(,.*)$`,
);

/** How the line of a result begins whose output is in an object. No string can contain it. */
const RESULT_MARK = '"status":"ok","payload":{"name":"output-';

/**
 * The text that stands for an input in a page, and in a task message after its index. No JSON value
 * is like it.
 */
export function payloadItem({ bytes, sha256 }: Payload): string {
  return `null,${JSON.stringify({ bytes, sha256 })}`;
}

/** The payload that such a text stands for; undefined for an input's own text. */
export function readPayloadItem(text: string): Payload | undefined {
  if (!text.startsWith('null,')) return undefined;
  const [, bytes, sha256 = ''] = ITEM.exec(text) ?? [];
  return payloadOf(Number(bytes), sha256);
}

/** The payload in a third element of an item. */
export function readPayload(value: unknown): Payload | undefined {
  const { bytes, sha256 } = Object(value) as Partial<Payload>;
  if (typeof bytes !== 'number' || typeof sha256 !== 'string') return undefined;
  return readPayloadItem(payloadItem({ bytes, sha256 }));
}

/** The payload in a result of an input. */
export function readOutputPayload(index: number, value: unknown): OutputPayload | undefined {
  const { name, ...facts } = Object(value) as Partial<OutputPayload>;
  const payload = readPayload(facts);
  if (typeof name !== 'string' || payload === undefined) return undefined;
  return readPayloadLine(payloadLine(index, { name, ...payload }, 0))?.payload;
}

function payloadOf(bytes: number, sha256: string): Payload | undefined {
  return bytes > 0 && bytes <= MAX_PAYLOAD_BYTES ? { bytes, sha256 } : undefined;
}

/** Text of an `ok` result whose output is in an object. */
export function payloadLine(index: number, payload: OutputPayload, ms: number): string {
  const { name, bytes, sha256 } = payload;
  const facts = JSON.stringify({ name, bytes, sha256 });
  return `{"index":${index},"status":"ok","payload":${facts},"ms":${Math.round(ms * 1000) / 1000}}`;
}

/** A result's line whose output is in an object, and the text around the output. */
export interface PayloadResult {
  index: number;
  payload: OutputPayload;
  before: string;
  after: string;
}

/** Reads such a line; undefined for other results. */
export function readPayloadLine(line: string): PayloadResult | undefined {
  if (!line.includes(RESULT_MARK)) return undefined;
  const [, before = '', digits, name = '', own, bytes, sha256 = '', after = ''] =
    RESULT.exec(line) ?? [];
  const index = Number(digits);
  const payload = payloadOf(Number(bytes), sha256);
  // An object of another input would be another input's output.
  if (payload === undefined || Number(own) !== index) return undefined;
  return { index, payload: { name, ...payload }, before: `${before}"output":`, after };
}

/** Whether a text of results may have such a line. */
export function mayHavePayloads(text: string): boolean {
  return text.includes(RESULT_MARK);
}
