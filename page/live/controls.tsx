import { useState } from 'preact/hooks';
import type { LiveRun } from '../../src/ui/protocol.ts';
import { count } from '../format.ts';
import { ask, runPath } from './api.ts';
import { BoundsDialog } from './bounds.tsx';
import { Dialog } from './dialog.tsx';

/** What can be done to the run now. */
export function Controls({ runId, live }: { runId: string; live: LiveRun }) {
  const { can, state } = live;
  const [open, setOpen] = useState<'cancel' | 'set'>();
  const [isAsking, setAsking] = useState(false);
  const [refused, setRefused] = useState('');
  const act = async (what: string) => {
    setAsking(true);
    setRefused('');
    try {
      await ask(runPath(runId, what), {});
    } catch (error) {
      setRefused((error as Error).message);
    } finally {
      setAsking(false);
    }
  };
  const close = () => setOpen(undefined);
  const pause = state === 'paused' ? 'unpause' : 'pause';
  return (
    <div class="controls">
      {can.includes('pause') ? (
        <button type="button" disabled={isAsking} onClick={() => act(pause)}>
          {pause === 'pause' ? 'Pause' : 'Unpause'}
        </button>
      ) : null}
      {can.includes('set') ? (
        <button type="button" onClick={() => setOpen('set')}>
          Change bounds…
        </button>
      ) : null}
      {can.includes('cancel') ? (
        <button type="button" class="danger" disabled={isAsking} onClick={() => setOpen('cancel')}>
          Cancel run…
        </button>
      ) : null}
      <span class="refused" role="alert">
        {refused || live.failure}
      </span>
      {open === 'set' ? <BoundsDialog runId={runId} knobs={live.knobs} onClose={close} /> : null}
      {open === 'cancel' ? (
        <Dialog title="Cancel this run?" onClose={close}>
          {(done) => (
            <>
              <p>{leftOf(live)} A cancelled run cannot go on.</p>
              <p class="answers">
                <button type="button" onClick={done}>
                  Keep it running
                </button>
                <button
                  type="button"
                  class="danger main"
                  onClick={() => {
                    done();
                    void act('cancel');
                  }}
                >
                  Cancel run
                </button>
              </p>
            </>
          )}
        </Dialog>
      ) : null}
    </div>
  );
}

function leftOf({ inputs, report: { statistics } }: LiveRun): string {
  const { ok, failed, cancelled } = statistics.ledger;
  if (inputs === undefined) return 'All inputs without a result end as cancelled.';
  const left = Math.max(0, inputs - ok - failed - cancelled);
  return `${count(left)} of ${count(inputs)} inputs have no result yet, and end as cancelled.`;
}
