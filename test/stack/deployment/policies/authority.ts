import type { Circumstances } from './conditions.ts';
import { type Ask, covering, type Statement } from './statement.ts';

/** Who calls, as policies know it. */
export interface Principal {
  /** Of its role or user. */
  readonly arn: string;
  /** In what is said of it, such as `Fanfold-worker`. */
  readonly label: string;
  readonly accountId: string;
  /** All that its policies say. */
  readonly statements: readonly Statement[];
}

/** A call that was refused. */
export interface Denial {
  readonly who: string;
  readonly action: string;
  readonly resource: string;
  /** As AWS ends its sentence: `because no identity-based policy allows the ... action`. */
  readonly reason: string;
}

/**
 * Decides calls as IAM does within one account: what a Deny covers is refused, what an Allow of the
 * caller's or of the resource covers is allowed, and all else is refused. A key is the exception: its
 * own policy has to name the caller or its account.
 *
 * Notes what was refused, and which grants were of use.
 */
export class Authority {
  readonly denials: Denial[] = [];
  readonly #principals = new Map<string, Principal>();
  readonly #used = new Map<string, Set<string>>();

  add(principal: Principal): void {
    this.#principals.set(principal.arn, principal);
    this.#used.set(principal.arn, new Set());
  }

  /**
   * Undefined where it is allowed.
   *
   * @param ofResource what the resource's own policy says
   */
  check(
    principal: Principal,
    ask: Ask,
    circumstances: Circumstances,
    ofResource: readonly Statement[],
  ): Denial | undefined {
    const reason = this.#reason(principal, ask, circumstances, ofResource);
    if (reason === undefined) return undefined;
    const denial = { who: principal.label, ...ask, reason };
    this.denials.push(denial);
    return denial;
  }

  /** Grants that nothing ever used: `Fanfold-worker: sqs:SendMessage on arn:...`, sorted. */
  unused(): string[] {
    const lines = Array.from(this.#principals.values(), ({ arn, label, statements }) =>
      statements
        .filter(({ effect }) => effect === 'Allow')
        .flatMap(({ actions, resources }) =>
          actions.flatMap((action) => resources.map((resource) => grantOf(action, resource))),
        )
        .filter((grant) => !this.#used.get(arn)?.has(grant))
        .map((grant) => `${label}: ${grant}`),
    );
    return [...new Set(lines.flat())].sort();
  }

  /** Why not; undefined where it may. */
  #reason(
    principal: Principal,
    ask: Ask,
    given: Circumstances,
    ofResource: readonly Statement[],
  ): string | undefined {
    const { arn, accountId, statements } = principal;
    const circumstances = {
      ...given,
      'aws:PrincipalArn': arn,
      'aws:PrincipalAccount': accountId,
      'kms:CallerAccount': accountId,
    };
    const { action } = ask;
    const covers = (statement: Statement) => covering(statement, ask, circumstances).length > 0;
    const denies = (statement: Statement) => statement.effect === 'Deny' && covers(statement);
    if (statements.some(denies)) return 'with an explicit deny in an identity-based policy';
    if (ofResource.some((one) => denies(one) && names(one, arn))) {
      return 'with an explicit deny in a resource-based policy';
    }
    const allowing = (one: Statement) => one.effect === 'Allow' && covers(one);
    if (ofResource.some((one) => allowing(one) && names(one, arn))) return undefined;
    const root = `arn:aws:iam::${accountId}:root`;
    const delegated = ofResource.some((one) => allowing(one) && names(one, root));
    const granting = statements.filter(allowing);
    if (granting.length === 0) {
      return `because no identity-based policy allows the ${action} action`;
    }
    if (action.startsWith('kms:') && !delegated) {
      return `because no resource-based policy allows the ${action} action`;
    }
    for (const statement of granting) {
      for (const [one, other] of covering(statement, ask, circumstances)) {
        this.#used.get(arn)?.add(grantOf(one, other));
      }
    }
    return undefined;
  }
}

function grantOf(action: string, resource: string): string {
  return `${action} on ${resource}`;
}

function names({ principals = {} }: Statement, arn: string): boolean {
  return (principals.AWS ?? []).some((name) => name === '*' || name === arn);
}
