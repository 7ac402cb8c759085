import type { CollectEvent, CollectorEvent } from '../messages/collector-event.ts';
import { startFunction } from './call-function.ts';
import type { Deployment } from './deployment.ts';

/** Starts a run's next collector. Resolves when Lambda has accepted the event. */
export async function startCollector(
  { lambda, names }: Pick<Deployment, 'lambda' | 'names'>,
  collect: CollectEvent,
): Promise<void> {
  const event: CollectorEvent = { collect };
  await startFunction(lambda, names.collector, event);
}
