import { FanfoldError } from '../errors.ts';
import type { SeedDescription } from '../pipeline/messages/seed-response.ts';
import type { TaskFacts } from '../task.ts';
import { VERSION } from '../version.ts';
import { type Check, type Finding, ok, problem, unknown, warning } from './finding.ts';
import type { StackSubject } from './subject.ts';

/** The deployment's description, or a finding if it has none. */
async function described({ reader }: StackSubject): Promise<SeedDescription | Finding> {
  try {
    return await reader.seed();
  } catch (error) {
    if (!(error instanceof FanfoldError)) throw error;
    const { seed } = reader.names;
    if (error.code === 'BadInput') {
      return warning(
        `${seed} does not report its version: a Fanfold older than ${VERSION} is deployed.`,
        'Wait until no run is left, then deploy again.',
      );
    }
    return problem(error.message, `Read its log: aws logs tail /aws/lambda/${seed}`);
  }
}

export const version: Check<StackSubject> = {
  title: 'version',
  async run(subject) {
    const seed = await described(subject);
    if ('level' in seed) return seed;
    if (seed.fanfold === VERSION)
      return ok(`Fanfold ${VERSION} is deployed, the same version as on this machine.`);
    return warning(
      `Fanfold ${seed.fanfold} is deployed, but this machine has ${VERSION}.`,
      'Wait until no run is left, then deploy again; or install the deployed version on this machine.',
    );
  },
};

export const tasks: Check<StackSubject> = {
  title: 'tasks',
  async run(subject) {
    const seed = await described(subject);
    // The version check reports that.
    if ('level' in seed) return [];
    const { here } = subject;
    const names = seed.tasks.map(({ name }) => name).join(', ');
    if (here === undefined) {
      return unknown(
        `Deployed tasks: ${names}. No tasks module is named to compare them with.`,
        'Name it with --tasks MODULE, or in package.json: "fanfold": { "tasks": "src/tasks.ts" }.',
      );
    }
    if ('error' in here) {
      return unknown(
        `Deployed tasks: ${names}. The local tasks module cannot be loaded: ${here.error.message}`,
        'Correct the local tasks module.',
      );
    }
    const differences = differencesOf(seed.tasks, here.tasks);
    if (differences.length === 0)
      return ok(`The deployed tasks match the local tasks module: ${names}.`);
    return differences.map((says) =>
      warning(says, 'Deploy again, or name the deployed module with --tasks MODULE.'),
    );
  },
};

function differencesOf(deployed: readonly TaskFacts[], here: readonly TaskFacts[]): string[] {
  const byName = new Map(here.map((task) => [task.name, task]));
  const known = new Set(deployed.map(({ name }) => name));
  return [
    ...here.flatMap(({ name }) =>
      known.has(name) ? [] : [`${name} is in the local tasks module, but not deployed.`],
    ),
    ...deployed.flatMap((task) => {
      const other = byName.get(task.name);
      if (other === undefined)
        return [`${task.name} is deployed, but not in the local tasks module.`];
      const keys = Object.keys(other) as (keyof TaskFacts)[];
      return keys.flatMap((key) => {
        const [there, local] = [shown(task[key]), shown(other[key])];
        if (there === local) return [];
        return [`${task.name} is deployed with ${key} ${there}; locally it is ${local}.`];
      });
    }),
  ];
}

/** An option's value. A seed of an older version has no value of an option that it does not know. */
function shown(value: unknown): string {
  return value === undefined || value === false ? 'not set' : String(value);
}
