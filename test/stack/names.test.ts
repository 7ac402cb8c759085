// No deployment's policies reach the queues of another one in the account.
import { Match } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { namesOf, newRunId } from '../../src/pipeline/names.ts';
import { matches } from './deployment/policies/wildcard.ts';
import { nameOf, templateOf } from './synthesis.ts';

/** The names of a deployment's queues, that of a run included. */
function queuesOf(name: string): string[] {
  // No deployment has some of the names here, which queues of other software may begin with.
  const { tasks, lanes, dead, results, ended, run } = namesOf('x');
  const queues = [tasks, lanes, dead, results, ended, run(newRunId())];
  return queues.map((queue) => queue.replace(/^x/, name));
}

/** The queue names, and patterns of queue names, in the deployment's policies. */
function patternsOf(name: string): string[] {
  const template = templateOf({ name });
  const policies = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) =>
    Object.values(template.findResources(type, { Properties: Match.anyValue() })),
  );
  const statements = policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
  const patterns = statements
    // Runs are found among all queues of an account, by the names that they begin with.
    .filter(({ Action }) =>
      [Action].flat().some((action) => /^sqs:(?!ListQueues$)/.test(String(action))),
    )
    .flatMap(({ Resource }) => [Resource].flat())
    .map((resource) => nameOf(template, resource).replace(/^arn:.*:/, ''));
  return [...new Set(patterns)];
}

it.each([
  'photos-run',
  'photos-run-run',
  'photos-tasks',
  'photos-ended',
  'photos-runs',
  'photos-r',
])('of photos match nothing of %s', (other) => {
  const patterns = patternsOf('photos');
  const hits = (queue: string) => patterns.some((pattern) => matches(pattern, queue));
  expect(queuesOf('photos').map(hits)).toEqual(Array(6).fill(true));
  expect(queuesOf(other).map(hits)).toEqual(Array(6).fill(false));
});

it.each(['photos-tasks', 'photos-ended', 'photos-runs', 'photos-r'])(
  'of %s match nothing of photos',
  (name) => {
    const patterns = patternsOf(name);
    const hits = (queue: string) => patterns.some((pattern) => matches(pattern, queue));
    expect(queuesOf(name).map(hits)).toEqual(Array(6).fill(true));
    expect(queuesOf('photos').map(hits)).toEqual(Array(6).fill(false));
  },
);

it.each(['photos-run', 'photos-run-2', 'a-run-'])('%j is no name of a deployment', (name) => {
  expect(() => namesOf(name)).toThrow(/"-run-"/);
});

it.each(['photos-runs', 'photos_run', 'run', 'running-run2'])('%j is a name', (name) => {
  expect(namesOf(name).run('x')).toBe(`${name}-run-x`);
});
