import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Why a token was refused, as a sentence, and when another one may be tried. */
export interface Refused {
  why: string;
  /** @default at once */
  waitSeconds?: number;
}

/** Decides who may see a live page: gives cookies for tokens. */
export interface Entrance {
  /** Undefined for a right token. */
  refuse(token: string, address: string): Refused | undefined;
}

/** A token that is worth one cookie. */
export class OneTimeToken implements Entrance {
  readonly token = randomBytes(32).toString('base64url');
  #isUsed = false;

  refuse(token: string): Refused | undefined {
    if (!isSame(token, this.token)) return { why: 'This token is wrong: use the printed address.' };
    if (this.#isUsed) {
      return {
        why: 'This address was used already, and works once: go on in the browser that opened it, or start the command again.',
      };
    }
    this.#isUsed = true;
    return undefined;
  }
}

/** Wrong secrets of an address within `WINDOW_MS` after which it must wait. */
const MOST_WRONG = 5;
/** The same for all addresses together. */
const MOST_WRONG_OF_ALL = 100;
const WINDOW_MS = 60_000;

/** A secret that people know. It may be short, so that guesses are limited. */
export class SharedSecret implements Entrance {
  readonly #secret: string;
  #wrong: { address: string; at: number }[] = [];

  constructor(secret: string) {
    this.#secret = secret;
  }

  refuse(token: string, address: string): Refused | undefined {
    const now = performance.now();
    this.#wrong = this.#wrong.filter(({ at }) => now - at < WINDOW_MS);
    const own = this.#wrong.filter((wrong) => wrong.address === address);
    const isFull = this.#wrong.length >= MOST_WRONG_OF_ALL;
    const oldest = own.length >= MOST_WRONG ? own[0] : isFull ? this.#wrong[0] : undefined;
    if (oldest !== undefined) {
      const waitSeconds = Math.ceil((WINDOW_MS - (now - oldest.at)) / 1000);
      return { why: `Too many wrong secrets: try again in ${waitSeconds} s.`, waitSeconds };
    }
    if (isSame(secretIn(token.trim()), this.#secret)) return undefined;
    this.#wrong.push({ address, at: now });
    return { why: 'This secret is wrong. `fanfold serve` says where it is.' };
  }
}

/** The secret in a text that people paste, which may be the whole FANFOLD_JOIN. */
function secretIn(text: string): string {
  return (URL.canParse(text) && new URL(text).password) || text;
}

/** Compares texts in a time that says nothing about the expected one. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Most browsers at once. */
const MOST_SESSIONS = 100;

/** The cookies of those who were let in, until this process ends. */
export class Sessions {
  readonly #known = new Set<string>();

  /** A new cookie's value. */
  open(): string {
    const id = randomBytes(32).toString('base64url');
    const [oldest = ''] = this.#known;
    if (this.#known.size >= MOST_SESSIONS) this.#known.delete(oldest);
    this.#known.add(keyOf(id));
    return id;
  }

  has(id: string | undefined): boolean {
    return id !== undefined && this.#known.has(keyOf(id));
  }
}

/** How long a look-up takes says nothing about a digest's original. */
function keyOf(id: string): string {
  return digest(id).toString('hex');
}
