import { randomBytes } from 'node:crypto';
import type { Principal } from './policies/index.ts';

/** A caller with credentials: a function's processes, an event source, a person. */
export interface Caller {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Its name in AWS's errors. */
  readonly arn: string;
  readonly principal: Principal;
}

/** All callers by access key, which decides the policies that apply to a call. */
export class Callers {
  readonly #byKey = new Map<string, Caller>();

  /** @param session session name of the role: a function's name, a person's */
  add(principal: Principal, session: string): Caller {
    const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
    const role = principal.arn.replace(/^.*\//, '');
    const caller = {
      accessKeyId,
      secretAccessKey: randomBytes(20).toString('hex'),
      sessionToken: randomBytes(32).toString('base64'),
      arn: `arn:aws:sts::${principal.accountId}:assumed-role/${role}/${session}`,
      principal,
    };
    this.#byKey.set(accessKeyId, caller);
    return caller;
  }

  find(accessKeyId: string): Caller | undefined {
    return this.#byKey.get(accessKeyId);
  }

  all(): Caller[] {
    return [...this.#byKey.values()];
  }
}

/** A caller's credentials as processes get them. */
export function credentialsOf(caller: Caller): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: caller.accessKeyId,
    AWS_SECRET_ACCESS_KEY: caller.secretAccessKey,
    AWS_SESSION_TOKEN: caller.sessionToken,
  };
}
