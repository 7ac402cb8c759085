/** An account and a region. Each pair has queues of its own, whose names may occur elsewhere. */
export interface Owner {
  readonly accountId: string;
  readonly region: string;
}

export function isSame(one: Owner, other: Owner): boolean {
  return one.accountId === other.accountId && one.region === other.region;
}
