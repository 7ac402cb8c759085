import type { Mutant } from './mutant.ts';

const BROKEN: readonly Omit<Mutant, 'kind'>[] = [
  {
    name: 'messages are deleted before the record of their results is written',
    file: 'src/pipeline/storing/part-store.ts',
    node: 'MethodDefinition[key.name="taken"] BlockStatement',
    becomes: '{ acknowledge(received); }',
  },
  {
    name: 'a record lists parts without the results that they hold',
    file: 'src/pipeline/storing/part-store.ts',
    node: 'MethodDefinition[key.name="write"] CallExpression[callee.property.name="replace"] Property[key.name="ledger"] > .value',
    becomes: 'state.run.ledger',
  },
  {
    name: 'a record claims results before their part is written',
    file: 'src/pipeline/storing/part-store.ts',
    node: 'MethodDefinition[key.name="listing"] VariableDeclarator[id.name="parts"] > .init',
    becomes: 'this.#options.state.run.parts',
  },
  {
    name: 'a record is replaced without a look at the one before',
    file: 'src/pipeline/storing/state-object.ts',
    node: 'MethodDefinition[key.name="replace"] Property[key.name="IfMatch"]',
    becomes: '',
  },
  {
    name: 'a lost answer counts as another collector',
    file: 'src/pipeline/storing/state-object.ts',
    node: 'MethodDefinition[key.name="replace"] IfStatement[test.left.name="isOurs"] > .test',
    becomes: 'false',
    caughtBy: 'test/pipeline/storing/superseded.test.ts',
  },
  {
    name: 'a replaced collector deletes parts that the record lists',
    file: 'src/pipeline/storing/part-store.ts',
    node: 'MethodDefinition[key.name="discard"] IfStatement:has(> ContinueStatement) > .test',
    becomes: 'false',
    caughtBy: 'test/pipeline/storing/superseded.test.ts',
  },
  {
    name: 'two collectors of a run name their parts alike',
    file: 'src/pipeline/storing/collect-stored.ts',
    node: 'FunctionDeclaration[id.name="claim"] Property[key.name="epoch"] > BinaryExpression',
    becomes: 'run.epoch',
  },
  {
    name: 'a run is announced before its manifest is written',
    file: 'src/pipeline/storing/finish.ts',
    node: 'CallExpression[callee.object.name="s3"][arguments.0.callee.name="PutObjectCommand"]',
    becomes: 'Promise.resolve()',
  },
  {
    name: 'the queue is deleted before the last results are stored',
    file: 'src/pipeline/collecting/ending.ts',
    node: 'IfStatement[test.right.argument.name="store"] > .test',
    becomes: 'queueUrl !== undefined',
  },
  {
    name: 'a dead collector is never followed',
    file: 'src/pipeline/storing/watch.ts',
    node: 'FunctionDeclaration[id.name="watchStoredRuns"] IfStatement:has(> ContinueStatement) > .test',
    becomes: 'output === undefined || true',
  },
  {
    name: 'a queue that is not found for a moment ends its run',
    file: 'src/pipeline/seeding/remote-seeder.ts',
    node: 'IfStatement[test.left.left.argument.name="isPatient"] > .test',
    becomes: 'true',
    // Few schedules of the simulation meet it.
    caughtBy: 'test/pipeline/seeding/remote-seeder.test.ts',
  },
  {
    name: 'notices of poison inputs are lost with their collector',
    file: 'src/pipeline/storing/part-store.ts',
    node: 'AssignmentExpression[left.property.name="begun"] > .right',
    becomes: '[]',
  },
];

/** What may go wrong with results that are stored in S3. */
export const STORING: readonly Mutant[] = BROKEN.map((mutant) => ({ ...mutant, kind: 'stored' }));
