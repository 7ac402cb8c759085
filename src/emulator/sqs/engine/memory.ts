/** What a sender is told of its message. */
export interface Sent {
  readonly id: string;
  readonly sequenceNumber: string | undefined;
}

/** A message, by its number, and the receipt that a receive gave out for it. */
export interface Taken {
  readonly number: number;
  readonly receipt: number;
}

/** What a queue remembers for a while: an id that was sent, or what a receive's attempt gave out. */
export type Memory = { readonly key: string; readonly endsAt: number } & (
  | { readonly sent: Sent }
  | { readonly taken: readonly Taken[] }
);
