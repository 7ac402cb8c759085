import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fanfold } from '../../src/connect.ts';
import { defineTask } from '../../src/index.ts';
import { openInProcess } from '../../src/local/in-process.ts';
import type { World } from '../../src/local/world.ts';
import { newRunId } from '../../src/pipeline/names.ts';

const double = defineTask({ name: 'double', run: (n: number) => n * 2 });

describe('a run whose command left it when the seed had all inputs, and had not said so', () => {
  let world: World;
  let fanfold: Fanfold;
  beforeAll(async () => {
    world = await openInProcess(2);
    world.add(double);
    fanfold = new Fanfold(world);
  });
  afterAll(() => fanfold.close());

  /** Has pages of a run seeded that is to have so many inputs, and says no more of it. */
  async function seeded(pages: number[][], total: number): Promise<string> {
    const { lambda, names } = world.deployment;
    const runId = newRunId();
    let first = 0;
    for (const inputs of pages) {
      const request = { task: 'double', inputs, first, total, results: 'own', runId };
      await lambda.send(
        new InvokeCommand({ FunctionName: names.seed, Payload: JSON.stringify(request) }),
      );
      first += inputs.length;
    }
    return runId;
  }

  it('is over for who collects it, once there are as many results as it has inputs', async () => {
    const run = await fanfold.collect(double, await seeded([[1, 2], [3]], 3));
    const results = await Array.fromAsync(run);
    expect(results.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
    expect(run.ledger).toMatchObject({ inputs: 3, ok: 3, sealed: true });
  });

  it('goes on where inputs are missing', async () => {
    const run = await fanfold.collect(double, await seeded([[1], [2]], 3));
    const results = run[Symbol.asyncIterator]();
    await results.next();
    await results.next();
    const more = Promise.race([
      results.next().then(() => 'over'),
      new Promise((resolve) => setTimeout(resolve, 3_000, 'going on')),
    ]);
    expect(await more).toBe('going on');
    run.leave();
  });
});
