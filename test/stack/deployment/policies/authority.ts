import type { Circumstances } from './conditions.ts';
import { type Ask, covering, type Statement } from './statement.ts';

/** A caller as policies identify it. */
export interface Principal {
  /** Of its role or user. */
  readonly arn: string;
  /** Its name in reports, such as `Fanfold-worker`. */
  readonly label: string;
  readonly accountId: string;
  /** The statements of its policies. */
  readonly statements: readonly Statement[];
}

/** A call that was refused. */
export interface Denial {
  readonly who: string;
  readonly action: string;
  readonly resource: string;
  /** The end of AWS's sentence: `because no identity-based policy allows the ... action`. */
  readonly reason: string;
}

/** A decided call, and the other policies that decided it. */
interface Asked {
  readonly ask: Ask;
  readonly circumstances: Circumstances;
  readonly ofResource: readonly Statement[];
}

/**
 * Decides calls as IAM does within one account: what a Deny covers is refused, what an Allow of the
 * caller's or of the resource covers is allowed, and all else is refused. A key is the exception: its
 * own policy has to name the caller or its account.
 *
 * Records refused calls and used grants.
 */
export class Authority {
  readonly denials: Denial[] = [];
  readonly #principals = new Map<string, Principal>();
  readonly #used = new Map<string, Set<string>>();
  /** Each distinct call once, by its principal. */
  readonly #asked = new Map<string, Map<string, Asked>>();

  add(principal: Principal): void {
    this.#principals.set(principal.arn, principal);
    this.#used.set(principal.arn, new Set());
    this.#asked.set(principal.arn, new Map());
  }

  get principals(): Principal[] {
    return [...this.#principals.values()];
  }

  /**
   * The refusal; undefined if the call is allowed.
   *
   * @param ofResource the statements of the resource's own policy
   */
  check(
    principal: Principal,
    ask: Ask,
    circumstances: Circumstances,
    ofResource: readonly Statement[],
  ): Denial | undefined {
    this.#asked
      .get(principal.arn)
      ?.set(`${ask.action} ${ask.resource}`, { ask, circumstances, ofResource });
    const reason = this.#reason(principal, ask, circumstances, ofResource);
    if (reason === undefined) return undefined;
    const denial = { who: principal.label, ...ask, reason };
    this.denials.push(denial);
    return denial;
  }

  /** The calls of a principal that would be refused under these statements. */
  refusedBy(principal: Principal, statements: readonly Statement[]): Ask[] {
    return Array.from(this.#asked.get(principal.arn)?.values() ?? [])
      .filter(
        ({ ask, circumstances, ofResource }) =>
          this.#reason({ ...principal, statements }, ask, circumstances, ofResource) !== undefined,
      )
      .map(({ ask }) => ask);
  }

  /** Unused grants: `Fanfold-worker: sqs:SendMessage on arn:...`, sorted. */
  unused(): string[] {
    const lines = Array.from(this.#principals.values(), ({ arn, label, statements }) =>
      grantsOf(statements)
        .map(([action, resource]) => grantOf(action, resource))
        .filter((grant) => !this.#used.get(arn)?.has(grant))
        .map((grant) => `${label}: ${grant}`),
    );
    return [...new Set(lines.flat())].sort();
  }

  /** The reason for a refusal; undefined if the call is allowed. */
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

/** Each action with each resource that is allowed. */
export function grantsOf(statements: readonly Statement[]): [action: string, resource: string][] {
  return statements
    .filter(({ effect }) => effect === 'Allow')
    .flatMap(({ actions, resources }) =>
      actions.flatMap((action) =>
        resources.map((resource): [string, string] => [action, resource]),
      ),
    );
}

/** The statements without one action on one resource. */
export function withoutGrant(
  statements: readonly Statement[],
  [action, resource]: readonly [string, string],
): Statement[] {
  return statements.flatMap((statement) =>
    statement.effect === 'Allow'
      ? statement.actions.map((one) => ({
          ...statement,
          actions: [one],
          resources: statement.resources.filter((other) => one !== action || other !== resource),
        }))
      : [statement],
  );
}

function grantOf(action: string, resource: string): string {
  return `${action} on ${resource}`;
}

function names({ principals = {} }: Statement, arn: string): boolean {
  return (principals.AWS ?? []).some((name) => name === '*' || name === arn);
}
