// Texts of the files that `fanfold init` writes. A test runs them in a project of their own, and
// checks their types and format there.

/** Name of the sample task. */
export const SAMPLE = 'order-total';

/** The sample's tasks module. It is valid JavaScript as well. */
export const TASKS = `import { defineTask } from 'fanfold';
import * as z from 'zod';

export const orderTotal = defineTask({
  name: '${SAMPLE}',
  // A row of a CSV file is an object of strings. A row that breaks the schema fails alone.
  input: z.object({
    order: z.string(),
    quantity: z.coerce.number().int().positive(),
    price: z.coerce.number().positive(),
  }),
  run({ order, quantity, price }) {
    return { order, total: quantity * price };
  },
});
`;

/** The sample's inputs, of which the third is invalid. */
export const INPUTS = `order,quantity,price
A-1,2,9.5
A-2,1,120
A-3,two,4.25
A-4,10,0.5
`;

/** Imports of a test, by test runner: the rest of it is the same. */
const RUNNERS = {
  node: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'fanfold';
`,
  vitest: `import { connect } from 'fanfold';
import { assert, test } from 'vitest';
`,
};

export type Runner = keyof typeof RUNNERS;

/** The sample's test. @param tasks file name of the tasks module */
export function testOf(runner: Runner, tasks: string): string {
  return `${RUNNERS[runner]}import { orderTotal } from './${tasks}';

test('an order costs its quantity times its price', async () => {
  const fanfold = await connect();
  const rows = [{ order: 'A-1', quantity: '2', price: '9.5' }];
  assert.deepEqual(await fanfold.map(orderTotal, rows).all(), [{ order: 'A-1', total: 19 }]);
});

test('an order without a number as its quantity fails, and tells why', async () => {
  const fanfold = await connect();
  const rows = [{ order: 'A-3', quantity: 'two', price: '4.25' }];
  for await (const result of fanfold.map(orderTotal, rows)) {
    assert(result.status === 'failed');
    assert.equal(result.error.code, 'InvalidInput');
  }
});
`;
}

export const TSCONFIG = `{
  "compilerOptions": {
    "module": "nodenext",
    "target": "es2024",
    "lib": ["es2024", "esnext.disposable", "esnext.array"],
    "types": ["node"],
    "strict": true,
    "noEmit": true,
    "skipLibCheck": true,
    "allowImportingTsExtensions": true,
    "erasableSyntaxOnly": true
  }
}
`;

/** A CDK app with one stack. It is valid JavaScript as well. */
export function appOf(stack: string, tasks: string): string {
  return `import { App, Stack } from 'aws-cdk-lib';
import { Fanfold } from 'fanfold/cdk';

const stack = new Stack(new App(), '${stack}');
${constructOf(tasks)}
`;
}

/** The line that puts Fanfold into a stack. */
export function constructOf(tasks: string): string {
  return `new Fanfold(stack, 'Fanfold', { tasks: '${tasks}' });`;
}

export function cdkJsonOf(app: string): string {
  return `${JSON.stringify({ app }, null, 2)}\n`;
}
