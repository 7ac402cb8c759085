import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** Who may call: secrets by access key id. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** More days than any moment has: a presigned request may be a week old. */
const MAX_DAYS = 16;

/**
 * One caller's keys, one a day. They are kept, since deriving one takes longer than all the rest of
 * a verification.
 */
export class SigningKeys {
  readonly #secret: string;
  readonly #region: string;
  readonly #service: string;
  readonly #byDay = new Map<string, KeyObject>();

  constructor(secretAccessKey: string, region: string, service: string) {
    this.#secret = secretAccessKey;
    this.#region = region;
    this.#service = service;
  }

  /** The key of a day that is written like `20150830`. */
  of(day: string): KeyObject {
    const kept = this.#byDay.get(day);
    if (kept !== undefined) return kept;
    let bytes = hmac(`AWS4${this.#secret}`, day);
    for (const part of [this.#region, this.#service, 'aws4_request']) bytes = hmac(bytes, part);
    // createHmac takes seven times as long with bytes as with a key.
    const key = createSecretKey(bytes);
    if (this.#byDay.size >= MAX_DAYS) this.#byDay.clear();
    this.#byDay.set(day, key);
    return key;
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
