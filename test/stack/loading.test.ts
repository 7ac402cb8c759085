// @module-tag more
// The real bundles with a tasks module that loads slowly, or not at all.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthesize } from './assembly.ts';
import { clientsOf, invoke } from './deployment/clients.ts';
import { type Deployment, deploy } from './deployment/deployment.ts';
import { readTemplate } from './deployment/template.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-loading-'));
const LOADS = join(folder, 'loads');

beforeAll(async () => {
  const tasks = resolve('test/stack/deployment/fragile-tasks.ts');
  const context = { tasks, maxConcurrency: 4, burst: 0 };
  const { status, stderr } = await synthesize(process.cwd(), folder, context);
  expect(status, stderr).toBe(0);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** Deploys the stack, with variables for some functions' tasks. */
function deployed(variables: Record<string, Record<string, string>>): Promise<Deployment> {
  const template = readTemplate(folder, 'Fanfold');
  for (const { Properties = {} } of Object.values(template.Resources)) {
    const more = variables[String(Properties.FunctionName)];
    if (more) Object.assign((Properties.Environment as { Variables: object }).Variables, more);
  }
  return deploy({ assembly: folder, stack: 'Fanfold', template });
}

/** The log lines of a function, all of which are JSON. */
const logged = ({ functions }: Deployment, name: string) =>
  functions.log(name).map((line): Record<string, unknown> => JSON.parse(line));

const seed = (stack: Deployment, inputs: number[]) =>
  invoke(clientsOf(stack).lambda, 'Fanfold-seed', { task: 'twice', inputs, chunkItems: 1 });

const chunks = ({ sqs }: Deployment) => sqs.peek('Fanfold-tasks');

/** Index and output of each result that was reported, however often. */
const reported = ({ sqs }: Deployment) =>
  sqs
    .peek('Fanfold-results')
    .flatMap(({ body }) => JSON.parse(body).results ?? [])
    .map(({ index, status, output }) => [index, status, output])
    .sort(([one], [other]) => one - other);

// Both mostly wait.
describe.concurrent('a tasks module that takes longer to load than INIT may', () => {
  it('is loaded once, by the first invocation', async ({ expect }) => {
    const slow = { LOADS, LOAD_MS: '12000' };
    await using stack = await deployed({ 'Fanfold-worker': slow });
    await seed(stack, [1]);
    await expect.poll(() => reported(stack), { timeout: 50_000 }).toEqual([[0, 'ok', 2]]);
    expect(readFileSync(LOADS, 'utf8')).toBe('Fanfold-worker\n');
    expect(stack.functions.invocations('Fanfold-worker')).toBe(1);
    expect(stack.functions.failures).toEqual([]);
  }, 90_000);
});

describe.concurrent('a deployment whose tasks module throws', () => {
  it('leaves the queue intact for the one that replaces it', async ({ expect }) => {
    const BROKEN = join(folder, 'broken-worker');
    writeFileSync(BROKEN, '');
    await using stack = await deployed({ 'Fanfold-worker': { BROKEN } });
    const inputs = [1, 2, 3, 4, 5, 6];
    expect(await seed(stack, inputs)).toMatchObject({ returned: { chunks: 6 } });
    const received = () => chunks(stack).filter(({ receiveCount }) => receiveCount > 0).length;
    await expect.poll(received, { timeout: 40_000 }).toBe(6);
    await expect.poll(() => stack.functions.failures.length, { timeout: 40_000 }).toBe(6);
    expect(logged(stack, 'Fanfold-worker')).toContainEqual(
      expect.objectContaining({
        level: 'ERROR',
        message: 'The tasks module could not be loaded',
        error: expect.objectContaining({
          name: 'RangeError',
          message: 'the module is out of order',
        }),
      }),
    );
    // Rolled back: the processes that failed have ended, and the next ones load.
    rmSync(BROKEN);
    const rolledBackAt = performance.now();
    await expect.poll(() => chunks(stack), { timeout: 60_000 }).toEqual([]);
    expect(performance.now() - rolledBackAt).toBeLessThan(60_000);
    expect(reported(stack)).toEqual(inputs.map((input, index) => [index, 'ok', 2 * input]));
    expect(stack.sqs.peek('Fanfold-tasks-dead')).toEqual([]);
  }, 150_000);

  it('answers a seed request with the module’s error, and the next ones from a new process', async ({
    expect,
  }) => {
    const BROKEN = join(folder, 'broken-seed');
    writeFileSync(BROKEN, '');
    await using stack = await deployed({ 'Fanfold-seed': { BROKEN } });
    const message = 'The tasks module could not be loaded: RangeError: the module is out of order';
    expect(await seed(stack, [1])).toEqual({ returned: { error: { code: 'BadTask', message } } });
    expect(chunks(stack)).toEqual([]);
    rmSync(BROKEN);
    expect(await seed(stack, [1])).toMatchObject({ failed: { errorType: 'Runtime.ExitError' } });
    expect(await seed(stack, [1])).toMatchObject({ returned: { chunks: 1 } });
  });
});
