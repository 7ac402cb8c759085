import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { burstHandler, workerHandler } from '../../src/handlers.ts';
import { defineTask } from '../../src/index.ts';
import { Run } from '../../src/pipeline/collecting/run.ts';
import { TaskRegistry } from '../../src/task-registry.ts';
import { runThrough, virtualDeployment } from '../pipeline/virtual-deployment.ts';

/** Attempts by index. */
let attempts: Map<number, number>;
/** The task queue's content at each end of the process. */
let exits: { bodies: string[]; said: string[] }[];

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
  attempts = new Map();
  exits = [];
});
afterEach(() => {
  vi.useRealTimers();
});

/** Ignores the signal and never ends, if its input asks for that. */
const hangs = defineTask({
  name: 'hangs',
  timeoutSeconds: 10,
  maxAttempts: 2,
  backoffBaseSeconds: 0,
  run(hang: boolean, { index }) {
    attempts.set(index, (attempts.get(index) ?? 0) + 1);
    return hang ? new Promise<never>(() => {}) : index;
  },
});

async function deployment(burst: number) {
  const deployed = await virtualDeployment([hangs], { burst });
  const { sqs, lambda, names } = deployed.deployment;
  const registry = TaskRegistry.fromModule({ hangs });
  const said: string[] = [];
  const options = {
    sqs,
    lambda,
    name: names.name,
    log: (level: string, message: string) => said.push(`${level}: ${message}`),
    exit() {
      exits.push({ bodies: deployed.tasksLeft().map(({ body }) => body), said: said.splice(0) });
      throw new Error('RequestId: ... Error: Runtime exited with error: exit status 1');
    },
  };
  // One process for all invocations, which ends without a response.
  deployed.lambda.addFunction(names.worker, workerHandler(registry, options), {
    timeoutSeconds: 900,
  });
  deployed.lambda.addFunction(names.burst, burstHandler(registry, options), {
    timeoutSeconds: 900,
  });
  return deployed;
}

it('a process stays in use with a few functions that never end, and is ended with ten', async () => {
  const deployed = await deployment(0);
  deployed.startWorkers();
  const inputs = [...Array(6).fill(true), false, false];
  const { results, seconds } = await runThrough(new Run(deployed.deployment, 'hangs', inputs));
  expect(results.map(({ status }) => status)).toEqual([...Array(6).fill('failed'), 'ok', 'ok']);
  expect(results[0]).toMatchObject({ error: { code: 'TimedOut', attempts: 2 } });
  // No message had to wait for the end of a claim, and nothing ran more often than needed.
  expect([...attempts.values()]).toEqual([...Array(6).fill(2), 1, 1]);
  expect(seconds).toBeLessThan(12 * 10 + 60);
  // Twelve attempts hang; each from the tenth on ends the process that pretends to have ended.
  expect(exits).toHaveLength(3);
  expect(exits[0]?.said.at(-1)).toMatch(/^error: Attempts ignored the abort signal/);
  // Its own message was deleted: the queue holds two others, each once.
  const first = exits[0]?.bodies.map((body) => JSON.parse(body).items[0][0]) ?? [];
  expect(new Set(first).size).toBe(first.length);
  expect(first.length).toBe(2);
  await deployed.close();
});

it('a burst worker ends its process for one such function, and another continues', async () => {
  const deployed = await deployment(1);
  const inputs = [true, false, false, false];
  const { results, seconds } = await runThrough(new Run(deployed.deployment, 'hangs', inputs), 300);
  expect(results.map(({ status }) => status)).toEqual(['failed', 'ok', 'ok', 'ok']);
  expect([...attempts.values()]).toEqual([2, 1, 1, 1]);
  expect(exits.length).toBeGreaterThan(0);
  // Lambda would retry a failed event after a minute, which was not needed.
  expect(seconds).toBeLessThan(50);
  await deployed.close();
});
