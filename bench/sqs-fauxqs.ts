import { fileURLToPath } from 'node:url';
import type { Bench, Benchmark, Figure } from './benchmark.ts';
import { atLeast, perSecond, times } from './format.ts';
import { inTurns, measure, median } from './measure.ts';
import { startServer } from './server-process.ts';
import type { Load } from './sqs/load.ts';
import { rate, runLoad, SERVE } from './sqs/run-load.ts';

const THROUGH_SDK = fileURLToPath(new URL('./sqs/through-sdk.ts', import.meta.url));
const FAUXQS_SERVER = fileURLToPath(new URL('./bare/fauxqs-server.ts', import.meta.url));
const THROUGH = 3_000;
const OVER_HTTP = 20_000;
const ROUNDS = 3;

/** Comparison with fauxqs, another SQS for tests. */
export const sqsFauxqs: Benchmark = {
  name: 'sqs-fauxqs',
  about:
    'messages of 1 KiB, 16 at once, over HTTP one per request; baseline: fauxqs, which uses a socket even in process, and verifies no signatures',
  async run(bench) {
    if (!isInstalled()) return { skipped: 'fauxqs is not installed' };
    return [await inProcess(bench), ...(await overHttp(bench))];
  },
};

function isInstalled(): boolean {
  try {
    import.meta.resolve('fauxqs');
    return true;
  } catch {
    return false;
  }
}

async function inProcess(bench: Bench): Promise<Figure> {
  const [ours, theirs] = await inTurns(
    ROUNDS,
    () => throughSdk(bench, 'fanfold'),
    () => throughSdk(bench, 'fauxqs'),
  );
  const what = 'in process, SDK: send, receive, delete';
  return figure(what, 'messages', THROUGH / median(ours), THROUGH / median(theirs), 2);
}

/** Seconds. */
async function throughSdk(bench: Bench, which: 'fanfold' | 'fauxqs'): Promise<number> {
  const { stdout } = await measure(
    { program: process.execPath, args: [THROUGH_SDK, which, String(THROUGH)] },
    { cwd: bench.folder, signal: bench.signal },
  );
  return Number(stdout);
}

/** Sends the same signed requests to all; servers that verify no signatures ignore them. */
async function overHttp(bench: Bench): Promise<Figure[]> {
  await using open = await startServer([SERVE, '--open'], bench.signal);
  await using verifying = await startServer([SERVE], bench.signal);
  await using fauxqs = await startServer([FAUXQS_SERVER], bench.signal);
  const load = (url: string) => runLoad(bench, url, OVER_HTTP);
  const [ours, theirs] = await inTurns(
    ROUNDS,
    async () => ({ open: await load(open.url), verifying: await load(verifying.url) }),
    () => load(fauxqs.url),
  );
  const figures = (what: string, loads: Load[], least?: number) =>
    (['send', 'receive', 'delete'] as const).map((action) => {
      const [our, their] = [rate(loads, action, OVER_HTTP), rate(theirs, action, OVER_HTTP)];
      return figure(`over HTTP, ${what}: ${action}`, 'requests', our, their, least);
    });
  return [
    ...figures(
      'unsigned',
      ours.map((one) => one.open),
      1,
    ),
    // Without a baseline: fauxqs verifies no signatures.
    ...figures(
      'signed',
      ours.map((one) => one.verifying),
    ),
  ];
}

function figure(what: string, of: string, ours: number, theirs: number, least?: number): Figure {
  return {
    what,
    ours: perSecond(ours, of),
    baseline: perSecond(theirs, of),
    ratio: times(ours / theirs),
    ...(least === undefined ? {} : { goal: atLeast(ours / theirs, least, times) }),
  };
}
