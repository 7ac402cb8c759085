import type { LiveRun } from '../../src/ui/protocol.ts';
import { ask, isLocked, Refused, runPath } from './api.ts';

/** Wait before a lost connection is tried again, in milliseconds; each wait is twice as long. */
const WAIT_MS = { first: 500, most: 8_000 };

interface Followed {
  onRun: (run: LiveRun) => void;
  /** The run has ended: nothing more comes. */
  onEnd: () => void;
  /** The connection is lost, and tried again. */
  onLost: () => void;
  /** The server knows no such run, as a sentence. */
  onGone: (why: string) => void;
  /** The server doesn't know this browser any more. */
  onLocked: () => void;
}

/**
 * Follows a run, over lost connections. An `EventSource` doesn't say why it failed: an ordinary
 * request asks, and another `EventSource` is opened once there is an answer.
 *
 * @returns ends it
 */
export function follow(runId: string, on: Followed): () => void {
  const path = runPath(runId, 'events');
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waitMs = WAIT_MS.first;
  let isOver = false;

  const stop = () => {
    isOver = true;
    source?.close();
    clearTimeout(timer);
    removeEventListener('online', again);
  };
  const open = () => {
    source = new EventSource(`/api/${path}`);
    source.addEventListener('run', ({ data }: MessageEvent<string>) => {
      waitMs = WAIT_MS.first;
      on.onRun(JSON.parse(data) as LiveRun);
    });
    source.addEventListener('end', () => {
      stop();
      on.onEnd();
    });
    source.addEventListener('error', lost);
  };
  const lost = () => {
    source?.close();
    source = undefined;
    if (isOver) return;
    on.onLost();
    timer = setTimeout(again, waitMs);
    waitMs = Math.min(WAIT_MS.most, waitMs * 2);
  };
  const again = async () => {
    if (source !== undefined || isOver) return;
    clearTimeout(timer);
    try {
      const { body } = await ask(path);
      await body?.cancel();
      if (!isOver) open();
    } catch (error) {
      if (isOver) return;
      const isGone = error instanceof Refused && error.status === 404;
      if (!isGone && !isLocked(error)) return lost();
      stop();
      if (isGone) on.onGone(error.message);
      else on.onLocked();
    }
  };
  addEventListener('online', again);
  open();
  return stop;
}
