import { factsOf } from '../../task.ts';
import type { TaskRegistry } from '../../task-registry.ts';
import { VERSION } from '../../version.ts';
import type { SeedDescription } from '../messages/seed-response.ts';

/** Any other field makes it a seed request, which `readSeedRequest` checks. */
export function isDescribeRequest(event: unknown): event is { describe: true } {
  if (typeof event !== 'object' || event === null) return false;
  return 'describe' in event && event.describe === true && Object.keys(event).length === 1;
}

export function describeDeployment(
  tasks: TaskRegistry,
  { workers, live, burst }: Pick<SeedDescription, 'workers' | 'live' | 'burst'>,
): SeedDescription {
  return { fanfold: VERSION, tasks: tasks.all().map(factsOf), workers, live, burst };
}
