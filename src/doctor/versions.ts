import { FanfoldError } from '../errors.ts';
import type { SeedDescription } from '../pipeline/messages/seed-response.ts';
import type { TaskFacts } from '../task.ts';
import { VERSION } from '../version.ts';
import { type Check, type Finding, ok, problem, unknown, warning } from './finding.ts';
import type { StackSubject } from './subject.ts';

/** The deployment's description, or a finding if it has none. */
async function described({ looks }: StackSubject): Promise<SeedDescription | Finding> {
  try {
    return await looks.seed();
  } catch (error) {
    if (!(error instanceof FanfoldError)) throw error;
    const { seed } = looks.names;
    if (error.code === 'BadInput') {
      return warning(
        `${seed} does not describe itself: a Fanfold older than ${VERSION} is deployed.`,
        'Let runs end, then deploy again.',
      );
    }
    return problem(error.message, `Read its log: aws logs tail /aws/lambda/${seed}`);
  }
}

export const version: Check<StackSubject> = {
  title: 'version',
  async look(subject) {
    const seed = await described(subject);
    if ('level' in seed) return seed;
    if (seed.fanfold === VERSION) return ok(`Fanfold ${VERSION} is deployed, as it is here.`);
    return warning(
      `Fanfold ${seed.fanfold} is deployed, and ${VERSION} is here.`,
      'Let runs end, then deploy again; or install the deployed version here.',
    );
  },
};

export const tasks: Check<StackSubject> = {
  title: 'tasks',
  async look(subject) {
    const seed = await described(subject);
    // The version check reports that.
    if ('level' in seed) return [];
    const { here } = subject;
    const names = seed.tasks.map(({ name }) => name).join(', ');
    if (here === undefined) {
      return unknown(
        `Deployed are ${names}; no tasks module is named here to compare.`,
        'Name it with --tasks MODULE, or in package.json: "fanfold": { "tasks": "src/tasks.ts" }.',
      );
    }
    if ('error' in here) {
      return unknown(
        `Deployed are ${names}; the tasks here are not known: ${here.error.message}`,
        'Correct the tasks module here.',
      );
    }
    const differences = differencesOf(seed.tasks, here.tasks);
    if (differences.length === 0) return ok(`The tasks deployed are the tasks here: ${names}.`);
    return differences.map((says) =>
      warning(says, 'Deploy again, or name the module that was deployed by --tasks MODULE.'),
    );
  },
};

function differencesOf(deployed: readonly TaskFacts[], here: readonly TaskFacts[]): string[] {
  const byName = new Map(here.map((task) => [task.name, task]));
  const known = new Set(deployed.map(({ name }) => name));
  return [
    ...here.flatMap(({ name }) => (known.has(name) ? [] : [`${name} is here and not deployed.`])),
    ...deployed.flatMap((task) => {
      const other = byName.get(task.name);
      if (other === undefined) return [`${task.name} is deployed and not here.`];
      const keys = Object.keys(other) as (keyof TaskFacts)[];
      return keys.flatMap((key) =>
        task[key] === other[key]
          ? []
          : [`${task.name} is deployed with ${key} ${task[key]}; here it is ${other[key]}.`],
      );
    }),
  ];
}
