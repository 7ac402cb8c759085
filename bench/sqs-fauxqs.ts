import { fileURLToPath } from 'node:url';
import type { Bench, Benchmark, Figure } from './benchmark.ts';
import { atLeast, perSecond, times } from './format.ts';
import { inTurns, measure, median } from './measure.ts';
import { startServer } from './server-process.ts';
import { rate, runLoad, SERVE, signatureNote } from './sqs/run-load.ts';

const THROUGH_SDK = fileURLToPath(new URL('./sqs/through-sdk.ts', import.meta.url));
const FAUXQS_SERVER = fileURLToPath(new URL('./bare/fauxqs-server.ts', import.meta.url));
const THROUGH = 3_000;
const SENDS = 20_000;
const ROUNDS = 3;

/** Another SQS for tests. */
export const sqsFauxqs: Benchmark = {
  name: 'sqs-fauxqs',
  about:
    'messages of 1 KiB, 16 at once; baseline: fauxqs, which has a socket even in process, and checks no signatures',
  async run(bench) {
    if (!isInstalled()) return { skipped: 'fauxqs is not installed' };
    return [await inProcess(bench), await overHttp(bench)];
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

async function overHttp(bench: Bench): Promise<Figure> {
  await using ours = await startServer([SERVE], bench.signal);
  await using theirs = await startServer([FAUXQS_SERVER], bench.signal);
  const [our, their] = await inTurns(
    ROUNDS,
    () => runLoad(bench, ours.url, SENDS, '--send-only'),
    () => runLoad(bench, theirs.url, SENDS, '--send-only'),
  );
  const what = `over HTTP: SendMessage${await signatureNote(ours.url)}`;
  return figure(what, 'requests', rate(our, 'send', SENDS), rate(their, 'send', SENDS), 1);
}

function figure(what: string, of: string, ours: number, theirs: number, least: number): Figure {
  return {
    what,
    ours: perSecond(ours, of),
    baseline: perSecond(theirs, of),
    ratio: times(ours / theirs),
    goal: atLeast(ours / theirs, least, times),
  };
}
