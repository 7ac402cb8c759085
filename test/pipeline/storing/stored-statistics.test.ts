import { expect, it } from 'vitest';
import { newRunId } from '../../../src/pipeline/names.ts';
import { defineTask } from '../../../src/task.ts';
import {
  inVirtualTime,
  passUntil,
  type StoredOptions,
  storedDeployment,
} from './stored-deployment.ts';

inVirtualTime();

const COUNT = 90;

const slow = defineTask({
  name: 'slow',
  maxAttempts: 1,
  async run(input: number) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    if (input % 10 === 7) throw new Error(`odd input ${input}`);
    return input;
  },
});

async function stored(options: StoredOptions) {
  const deployed = await storedDeployment([slow], { workers: 1, ...options });
  const runId = newRunId();
  const inputs = Array.from({ length: COUNT }, (_, input) => input);
  const { output = '' } = await deployed.seed({ task: 'slow', runId, inputs, results: 's3' });
  return { ...deployed, runId, output };
}

it.each([
  ['by several collectors', undefined],
  ['by collectors that are killed', ['dies before', 'dies after'] as const],
])('have all results of a run, each once, if it is collected %s', async (_, fates) => {
  let kills = 0;
  // The first two parts that are written cost their collectors their lives.
  const fateOf: StoredOptions['fateOf'] = ({ service, method, path }) =>
    service === 's3' && method === 'PUT' && path.includes('/results/')
      ? fates?.[kills++]
      : undefined;
  // Each collector has ten seconds.
  const run = await stored({ timeoutSeconds: 70, fateOf, limits: { ms: 3_000 } });
  await using connection = run.connection();
  const watching = setInterval(() => void run.watch(), 60_000);
  await run.manifest(run.runId);
  clearInterval(watching);
  if (fates) expect(kills).toBeGreaterThan(2);
  const statistics = await connection.statistics({ runId: '', output: run.output });
  expect(statistics).toMatchObject({
    ledger: { inputs: COUNT, ok: COUNT - 9, failed: 9 },
    durations: { count: COUNT },
    failures: [{ code: 'TaskFailed', message: 'Error: odd input N', count: 9 }],
  });
  expect(statistics?.workers.reduce((sum, { ok }) => sum + ok, 0)).toBe(COUNT - 9);
  expect(statistics?.series.reduce((sum, { failed }) => sum + failed, 0)).toBe(9);
  await run.close();
});

it('are there while the run goes on, as of the results that are stored', async () => {
  const run = await stored({ limits: { ms: 3_000 } });
  await using connection = run.connection();
  const look = () => connection.statistics({ runId: run.runId, output: run.output });
  expect(await look()).toBeUndefined();
  await passUntil(async () => ((await look())?.durations.count ?? 0) > 0, 60);
  const { ledger, durations } = (await look()) ?? expect.fail();
  expect(ledger.ok + ledger.failed).toBe(durations.count);
  expect(durations.count).toBeLessThan(COUNT);
  await run.close();
});
