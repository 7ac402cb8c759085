import { messageOfRefusal, missingParameter, SqsError } from '../errors.ts';
import type { Input } from '../input.ts';
import { BATCH_ENTRY_ID, MAX_BATCH_ENTRIES } from '../limits.ts';

/** The entries of a batch request and their ids. An error in the batch itself refuses all of it. */
export function batchEntries(input: Input, name: string): [id: string, entry: Input][] {
  const entries = input.entries('Entries');
  if (entries.length === 0) {
    throw new SqsError(
      'EmptyBatchRequest',
      `There should be at least one ${name}RequestEntry in the request.`,
    );
  }
  if (entries.length > MAX_BATCH_ENTRIES) {
    throw new SqsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${MAX_BATCH_ENTRIES}. You have sent ${entries.length}.`,
    );
  }
  const ids = new Set<string>();
  return entries.map((entry) => {
    const id = entry.text('Id');
    if (id === undefined) throw missingParameter('Id');
    if (!BATCH_ENTRY_ID.test(id)) {
      throw new SqsError(
        'InvalidBatchEntryId',
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
      );
    }
    if (ids.has(id)) throw new SqsError('BatchEntryIdsNotDistinct', `Id ${id} repeated.`);
    ids.add(id);
    return [id, entry];
  });
}

/** Whether an error refuses only one entry. Malformed input refuses the whole request. */
export function isOfEntry(error: unknown): error is SqsError {
  return error instanceof SqsError && error.code !== 'MalformedInput';
}

/** Performs a batch entry by entry: an entry that is refused fails alone. */
export function eachEntry(
  entries: readonly [id: string, entry: Input][],
  act: (entry: Input) => Readonly<Record<string, unknown>>,
): { Successful?: unknown[]; Failed?: unknown[] } {
  const successful: unknown[] = [];
  const failed: unknown[] = [];
  for (const [id, entry] of entries) {
    try {
      successful.push({ Id: id, ...act(entry) });
    } catch (error) {
      if (!isOfEntry(error)) throw error;
      failed.push({ Id: id, ...messageOfRefusal(error), SenderFault: true });
    }
  }
  return {
    ...(successful.length > 0 ? { Successful: successful } : {}),
    ...(failed.length > 0 ? { Failed: failed } : {}),
  };
}
