/** Whose queues, and where: queues of one name are apart in each account and region. */
export interface Owner {
  readonly accountId: string;
  readonly region: string;
}

export function isSame(one: Owner, other: Owner): boolean {
  return one.accountId === other.accountId && one.region === other.region;
}
