import type { Mutant } from './mutant.ts';

const LANES: readonly Mutant[] = [
  {
    name: 'starts in a lane do not wait for each other',
    file: 'src/pipeline/working/pace.ts',
    node: 'ClassDeclaration[id.name="Pace"] MethodDefinition[key.name="started"] AssignmentExpression > .right',
    becomes: 'performance.now()',
  },
  {
    name: 'a chunk starts without a pause after the one before it',
    file: 'src/pipeline/working/pace.ts',
    node: 'FunctionDeclaration[id.name="paceOf"] ReturnStatement:last-child NewExpression > .arguments:last-child',
    becomes: '0',
  },
  {
    name: 'pauses are half as long again as they must be',
    file: 'src/pipeline/messages/flow.ts',
    node: 'FunctionDeclaration[id.name="pauseOf"] ReturnStatement:last-child > .argument',
    becomes: ({ text }) => `(${text}) * 1.5`,
  },
  {
    name: 'each lane runs as many inputs as its task allows',
    file: 'src/pipeline/messages/flow.ts',
    node: 'FunctionDeclaration[id.name="widthOf"] > BlockStatement > ReturnStatement > .argument',
    becomes: 'each',
    caughtBy: 'test/pipeline/messages/flow.test.ts',
  },
  {
    name: 'further attempts run outside of lanes',
    file: 'src/pipeline/working/lanes.ts',
    node: 'FunctionDeclaration[id.name="routeOf"] IfStatement[test.right.right.value="none"] > .test',
    becomes: ({ text }) => `${text} || (!isInLane && chunk.attempt > 1)`,
    caughtBy: 'test/pipeline/working/lanes.test.ts',
  },
  {
    name: 'a slow lane starts as soon as it has a chunk',
    file: 'src/pipeline/working/pace.ts',
    node: 'ClassDeclaration[id.name="Slots"] ReturnStatement > .argument',
    becomes: '0',
    caughtBy: 'test/pipeline/working/lanes.test.ts',
  },
  {
    name: 'a paused run goes on',
    file: 'src/pipeline/working/lanes.ts',
    node: 'FunctionDeclaration[id.name="routeOf"] IfStatement[test.property.name="paused"] > .test',
    becomes: 'false',
  },
  {
    name: 'a chunk goes on when its run is paused or has other bounds',
    file: 'src/pipeline/working/follow.ts',
    node: 'IfStatement[test.right.callee.name="partsOf"] > .test',
    becomes: 'false',
    caughtBy: 'test/pipeline/working/follow.test.ts',
  },
  {
    name: 'new lanes start beside the ones before them',
    file: 'src/pipeline/working/lanes.ts',
    node: 'FunctionDeclaration[id.name="moveToLane"] IfStatement > .test',
    becomes: 'true',
    caughtBy: 'test/pipeline/working/lanes.test.ts',
  },
  {
    name: 'a change of the number of lanes has no time',
    file: 'src/pipeline/messages/flow.ts',
    node: 'FunctionDeclaration[id.name="replacing"] Property[key.name="since"] > .value[name="now"]',
    becomes: 'undefined',
    caughtBy: 'test/pipeline/messages/flow.test.ts',
  },
  {
    name: 'the rest of a chunk of a lane is lost',
    file: 'src/pipeline/working/chunk-execution.ts',
    node: 'MethodDefinition[key.name="settle"] AwaitExpression[argument.callee.name="sendToLane"]',
    becomes: 'undefined',
  },
];

const HEDGES: readonly Mutant[] = [
  {
    name: 'an input that runs a second time is run again and again',
    file: 'src/pipeline/working/hedging.ts',
    node: 'MethodDefinition[key.name="send"] Property[key.name="hedge"] > .value',
    becomes: 'true',
  },
  {
    name: 'a task that may not run twice at once is hedged',
    file: 'src/pipeline/seed/seed.ts',
    node: 'FunctionDeclaration[id.name="hedgeOf"] IfStatement[test.name="idempotent"] > .test',
    becomes: 'true',
    caughtBy: 'test/pipeline/hedge.test.ts',
  },
];

/** Faults of lanes, of what an operator changes, and of inputs that run a second time. */
export const FLOW = [...LANES, ...HEDGES].map((mutant): Mutant => ({ ...mutant, kind: 'bounds' }));
