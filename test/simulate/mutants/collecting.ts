import type { Mutant } from './mutant.ts';

/** Faults of collectors: what they take, count, acknowledge and end. */
export const COLLECTING: readonly Mutant[] = [
  {
    name: 'duplicates are not dropped',
    file: 'src/pipeline/collecting/ledger.ts',
    node: 'MethodDefinition[key.name="enter"] IfStatement[test.callee.property.name="has"] > .test',
    becomes: 'false',
  },
  {
    name: 'an index that a message names twice is counted twice',
    file: 'src/pipeline/collecting/ledger.ts',
    node: 'MethodDefinition[key.name="enterAllOk"] IfStatement[test.argument.callee.name="areDisjoint"] > .test',
    becomes: 'false',
  },
  {
    name: 'the last result of a range is not noted',
    file: 'src/pipeline/collecting/ledger.ts',
    node: 'MethodDefinition[key.name="enterAllOk"] ForStatement[body.expression.callee.property.name="add"] > .test',
    becomes: ({ text }) => text.replace('<=', '<'),
  },
  {
    name: 'an account balances before it is sealed',
    file: 'src/pipeline/collecting/ledger.ts',
    node: 'MethodDefinition[key.name="balanced"] LogicalExpression > .left',
    becomes: 'true',
  },
  {
    name: 'a number of another page of the bitmap is found',
    file: 'src/pipeline/collecting/bitmap.ts',
    node: 'MethodDefinition[key.name="has"] BinaryExpression[operator=">>"][right.name="PAGE_BITS"]',
    becomes: '0',
    caughtBy: 'test/pipeline/ledger.test.ts',
  },
  {
    name: 'results are acknowledged before they are taken',
    file: 'src/pipeline/collecting/run.ts',
    node: 'MethodDefinition[key.name="collected"] BlockStatement:has(> ExpressionStatement[expression.callee.property.name="acknowledge"])',
    becomes: ({ of }) =>
      `{ ${of('ExpressionStatement[expression.callee.property.name="acknowledge"]')} ${of('ExpressionStatement[expression.type="YieldExpression"]')} }`,
  },
  {
    name: 'a collector leaves while its acknowledgements wait',
    file: 'src/pipeline/collecting/acknowledger.ts',
    node: 'MethodDefinition[key.name="settled"] IfStatement',
    becomes: ';',
  },
  {
    name: 'fewer than ten results are acknowledged once only',
    file: 'src/pipeline/collecting/acknowledger.ts',
    node: 'MethodDefinition[key.name="delete"] AssignmentExpression[right.name="undefined"]',
    becomes: 'undefined',
  },
  {
    name: 'of more than ten acknowledgements some are dropped',
    file: 'src/pipeline/collecting/acknowledger.ts',
    node: 'MethodDefinition[key.name="delete"] CallExpression[callee.property.name="splice"] > .arguments:last-child',
    becomes: 'this.#handles.length',
  },
  {
    name: 'polls that find nothing are not given up',
    file: 'src/pipeline/collecting/poll-scaler.ts',
    node: 'MethodDefinition[key.name="answered"] IfStatement[test.right.value=0] CallExpression[callee.property.name="resize"]',
    becomes: 'undefined',
    caughtBy: 'test/pipeline/poll-scaler.test.ts',
  },
  {
    name: 'an ordered run acknowledges what it keeps for later',
    file: 'src/pipeline/collecting/order.ts',
    node: 'MethodDefinition[key.name="add"] IfStatement[test.operator="<"] > .test',
    becomes: 'true',
  },
  {
    name: 'a missing queue ends its collector at once',
    file: 'src/pipeline/collecting/collect.ts',
    node: 'MethodDefinition[key.name="poll"] BinaryExpression[right.name="MISSING_MS"]',
    becomes: 'false',
  },
  {
    name: 'an input is condemned at its second announcement',
    file: 'src/pipeline/collecting/suspects.ts',
    node: 'VariableDeclarator[id.name="BEGUN"] > .init',
    becomes: '2',
  },
  {
    name: 'an input that kills is never condemned',
    file: 'src/pipeline/collecting/suspects.ts',
    node: 'MethodDefinition[key.name="begun"] ReturnStatement > .argument',
    becomes: 'false',
  },
  {
    name: 'a notice that is delivered twice is counted twice',
    file: 'src/pipeline/collecting/suspects.ts',
    node: 'MethodDefinition[key.name="begun"] CallExpression[callee.property.name="add"] > .arguments',
    becomes: 'crypto.randomUUID()',
    caughtBy: 'test/pipeline/suspects.test.ts',
  },
  {
    name: 'a run that is cancelled forgets the results that it drains',
    file: 'src/pipeline/collecting/ending.ts',
    node: 'FunctionDeclaration[id.name="takeLast"] CallExpression[callee.property.name="push"]',
    becomes: ({ of }) => of('CallExpression[callee.property.name="enter"]'),
  },
  {
    name: "a cancelled run's queue is deleted before it is drained",
    file: 'src/pipeline/collecting/ending.ts',
    node: 'FunctionDeclaration[id.name="takeLast"] BlockStatement:has(> ForOfStatement)',
    becomes: ({ of }) =>
      `{ ${of('ExpressionStatement[expression.argument.callee.name="deleteQueue"]')} ${of('ForOfStatement')} }`,
  },
  {
    name: 'of a cancelled run one answer is drained only',
    file: 'src/pipeline/collecting/collect.ts',
    node: 'FunctionDeclaration[id.name="drain"] ForStatement > .body',
    becomes: ({ text }) => `{ ${text} return; }`,
  },
  {
    name: 'what a killed collector had in hand is not waited for at the deadline',
    file: 'src/pipeline/collecting/deadline.ts',
    node: 'MethodDefinition[key.name="constructor"] ConditionalExpression > .test',
    becomes: 'false',
  },
  {
    name: 'a run is given up at the first look that finds no chunk',
    file: 'src/pipeline/collecting/gone.ts',
    node: 'VariableDeclarator[id.name="LOOKS"] > .init',
    becomes: '1',
  },
  {
    name: 'results of another run are taken',
    file: 'src/pipeline/messages/result-message.ts',
    node: 'FunctionDeclaration[id.name="isEnvelope"] BinaryExpression[left.property.name="runId"]',
    becomes: 'true',
  },
  {
    name: 'a result is written without a look at its output',
    file: 'src/pipeline/messages/result-scan.ts',
    node: 'FunctionDeclaration[id.name="scanResults"] CallExpression[callee.name="skipCompactJson"]',
    becomes: ({ of }) =>
      `${of('.arguments:first-child')}.indexOf(MS, ${of('.arguments:nth-child(2)')})`,
  },
  {
    name: 'a notice about another run ends this one',
    file: 'src/pipeline/messages/notice.ts',
    node: 'FunctionDeclaration[id.name="readNotice"] BinaryExpression[left.property.name="runId"]',
    becomes: 'true',
  },
  {
    name: 'a run that goes on trusts half a line',
    file: 'src/cli/resume/result-lines.ts',
    node: 'FunctionDeclaration[id.name="wholeLength"] ReturnStatement > .argument',
    becomes: ({ of }) => `${of('CallExpression > MemberExpression > .object')}.length`,
  },
  {
    name: 'results are deleted from the queue before the output file is synced',
    file: 'src/cli/resume/recorded.ts',
    node: 'Property[key.name="write"] IfStatement:has(CallExpression[callee.property.name="sync"])',
    becomes: ';',
    caughtBy: 'test/cli/recorded.test.ts',
  },
  {
    name: "a run's id has the time of its caller's own clock",
    file: 'src/pipeline/collecting/run.ts',
    node: 'MethodDefinition[key.name="constructor"] CallExpression[callee.name="newRunId"]',
    becomes: 'newRunId()',
  },
  {
    name: "a run ends by its collector's own clock",
    file: 'src/pipeline/collecting/deadline.ts',
    node: 'MethodDefinition[key.name="arm"] CallExpression[callee.name="serviceNow"]',
    becomes: 'Date.now()',
  },
  {
    name: 'a move task is started while one runs',
    file: 'src/pipeline/runs/redrive.ts',
    node: 'IfStatement:has(NewExpression[callee.name="StartMessageMoveTaskCommand"]) > .test',
    becomes: 'true',
    caughtBy: 'test/pipeline/redrive.test.ts',
  },
];
