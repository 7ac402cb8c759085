import { splitChunk } from '../messages/split-chunk.ts';
import { Bitmap } from '../run/bitmap.ts';
import type { Deployment } from '../run/deployment.ts';

/**
 * Inputs of a run that still wait for a worker, and that none has started before. Read just after
 * the deadline, when no worker starts what it receives: soon after, they have dropped it all.
 * Empty if the queue is elsewhere, since it can't be read without receiving.
 */
export function notStarted({ waiting }: Deployment, runId: string): Pick<Bitmap, 'has'> {
  const indexes = new Bitmap();
  for (const body of waiting?.() ?? []) {
    const { fields, items = [] } = splitChunk(body) ?? {};
    if (fields?.runId !== runId || fields.attempt !== 1 || fields.begun === true) continue;
    for (const { index } of items) indexes.add(index);
  }
  return indexes;
}
