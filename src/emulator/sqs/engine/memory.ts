/** The answer to the sender of a message. */
export interface Sent {
  readonly id: string;
  readonly sequenceNumber: string | undefined;
}

/** A message, by its number, and the receipt that a receive returned for it. */
export interface Taken {
  readonly number: number;
  readonly receipt: number;
}

/** A temporary memory of a queue: a deduplication id, or the messages of a receive attempt. */
export type Memory = { readonly key: string; readonly endsAt: number } & (
  | { readonly sent: Sent }
  | { readonly taken: readonly Taken[] }
);
