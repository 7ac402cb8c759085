import { createHmac, hash } from 'node:crypto';

/** A caller's access key id and secret. */
export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** More days than can be valid at once: a presigned request may be a week old. */
const MAX_DAYS = 16;

/**
 * One caller's signing keys, one per day. They are cached, since it takes longer to derive one than
 * to do the rest of a verification.
 */
export class SigningKeys {
  readonly #secret: string;
  readonly #region: string;
  readonly #service: string;
  readonly #byDay = new Map<string, SigningKey>();

  constructor(secretAccessKey: string, region: string, service: string) {
    this.#secret = secretAccessKey;
    this.#region = region;
    this.#service = service;
  }

  /** The key of a day, in the form `20150830`. */
  of(day: string): SigningKey {
    const kept = this.#byDay.get(day);
    if (kept !== undefined) return kept;
    let bytes = hmac(`AWS4${this.#secret}`, day);
    for (const part of [this.#region, this.#service, 'aws4_request']) bytes = hmac(bytes, part);
    const key = new SigningKey(bytes);
    if (this.#byDay.size >= MAX_DAYS) this.#byDay.clear();
    this.#byDay.set(day, key);
    return key;
  }
}

/** The block size of SHA-256. */
const BLOCK_BYTES = 64;

/**
 * HMAC-SHA256 with one key, built from two hashes as in RFC 2104. The key's pads precede the bytes
 * to hash, so that one-shot hashes can be used: `createHmac` takes three times as long.
 */
export class SigningKey {
  readonly #outer = Buffer.alloc(BLOCK_BYTES + 32, 0x5c);
  #inner = Buffer.alloc(BLOCK_BYTES + 1_024, 0x36);

  /** @param key a hash, so it is not longer than a block */
  constructor(key: Buffer) {
    for (const [at, byte] of key.entries()) {
      this.#inner[at] = byte ^ 0x36;
      this.#outer[at] = byte ^ 0x5c;
    }
  }

  /** The signature in hexadecimal. */
  sign(text: string): string {
    // A UTF-16 unit takes three bytes at most.
    const most = BLOCK_BYTES + text.length * 3;
    if (this.#inner.length < most) this.#inner = Buffer.concat([this.#inner], most);
    const end = BLOCK_BYTES + this.#inner.write(text, BLOCK_BYTES);
    // As a text with one byte per character: it takes longer to create a Buffer than to hash.
    const inner = hash('sha256', this.#inner.subarray(0, end), 'binary');
    this.#outer.write(inner, BLOCK_BYTES, 'binary');
    return hash('sha256', this.#outer);
  }
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
