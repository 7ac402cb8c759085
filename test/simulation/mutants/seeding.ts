import { type Mutant, unawaited } from './mutant.ts';

/** Faults of seeding: which inputs are sent, when, and by whom. */
export const SEEDING: readonly Mutant[] = [
  {
    name: 'the seed answers before its chunks are accepted',
    file: 'src/pipeline/seed/seed.ts',
    node: 'FunctionDeclaration[id.name="seed"] AwaitExpression[argument.callee.name="sendAll"]',
    becomes: unawaited,
  },
  {
    name: 'a run that goes on takes pages for seeded that are on their way',
    file: 'src/pipeline/seeding/seeder.ts',
    node: 'MethodDefinition[key.name="seeded"] ReturnStatement > .argument',
    becomes: ({ of }) => of('MemberExpression[property.name="first"]'),
  },
  {
    name: 'the first page is seeded as if it were all',
    file: 'src/pipeline/seeding/seeder.ts',
    node: 'MethodDefinition[key.name="send"] Property[key.name="more"] > .value',
    becomes: 'undefined',
  },
  {
    name: "a page's end is taken for the run's total",
    file: 'src/pipeline/seeding/seeder.ts',
    node: 'MethodDefinition[key.name="send"] LogicalExpression ConditionalExpression[test.property.name="last"] > .test',
    becomes: 'true',
  },
  {
    name: 'a window that was full never opens again',
    file: 'src/pipeline/seeding/window.ts',
    node: 'MethodDefinition[key.name="taken"] IfStatement',
    becomes: ';',
    caughtBy: 'test/pipeline/seeding/window.test.ts',
  },
  {
    name: 'a window counts no input out',
    file: 'src/pipeline/seeding/window.ts',
    node: 'MethodDefinition[key.name="isFull"] BinaryExpression[operator="-"] > .right',
    becomes: '0',
    caughtBy: 'test/pipeline/seeding/window.test.ts',
  },
  {
    name: 'a slow page loses its last input',
    file: 'src/pipeline/seeding/pages.ts',
    node: 'FunctionDeclaration[id.name="pagesOf"] IfStatement[test.right.value="later"] YieldExpression',
    becomes: ({ text, of }) => `(${of('.argument')}.texts.pop(), ${text})`,
  },
  {
    name: 'a burst chain never ends',
    file: 'src/handlers/burst.ts',
    node: 'BinaryExpression[right.name="MAX_HOPS"]',
    becomes: 'true',
    caughtBy: 'test/handlers/burst.test.ts',
  },
];
