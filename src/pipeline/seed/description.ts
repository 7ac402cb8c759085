import { factsOf, type TaskFacts, type TaskRegistry } from '../../task.ts';
import { VERSION } from '../../version.ts';

/** The seed's answer to `{"describe": true}`: what is deployed. */
export interface SeedDescription {
  /** The version of Fanfold that is deployed. */
  fanfold: string;
  tasks: TaskFacts[];
  /** About how many workers chunks are cut for. */
  workers: number;
  /** The most burst workers that a run starts. */
  burst: number;
}

/** Any other field makes it a seed request, which `readSeedRequest` checks. */
export function isDescribeRequest(event: unknown): event is { describe: true } {
  if (typeof event !== 'object' || event === null) return false;
  return 'describe' in event && event.describe === true && Object.keys(event).length === 1;
}

export function describeDeployment(
  tasks: TaskRegistry,
  { workers, burst }: { workers: number; burst: number },
): SeedDescription {
  return { fanfold: VERSION, tasks: tasks.all().map(factsOf), workers, burst };
}
