import type { Deployment } from '../run/deployment.ts';

/** Batches whose consumer keeps the process alive only while it waits for the next one. */
export function kept<Batch>(
  batches: AsyncGenerator<Batch, void>,
  { keep }: Pick<Deployment, 'keep'>,
): AsyncGenerator<Batch, void> {
  return keep ? keptBy(keep, batches) : batches;
}

async function* keptBy<Batch>(
  keep: NonNullable<Deployment['keep']>,
  batches: AsyncGenerator<Batch, void>,
): AsyncGenerator<Batch, void> {
  try {
    for (;;) {
      const { done, value } = await keep(batches.next());
      if (done) return;
      yield value;
    }
  } finally {
    await keep(batches.return());
  }
}
