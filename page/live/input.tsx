import { useEffect, useState } from 'preact/hooks';
import type { InputDetail } from '../../src/ui/protocol.ts';
import { Detail } from '../detail.tsx';
import { count } from '../format.ts';
import { ask, runPath } from './api.ts';
import { Dialog } from './dialog.tsx';
import { linkTo } from './place.ts';

/** One input and all that is known of it, beside the run. */
export function Input({ runId, index }: { runId: string; index: number }) {
  const [detail, setDetail] = useState<InputDetail>();
  const [refused, setRefused] = useState<string>();
  const load = async () => {
    setRefused(undefined);
    try {
      setDetail((await (await ask(runPath(runId, `inputs/${index}`))).json()) as InputDetail);
    } catch (error) {
      setRefused((error as Error).message);
    }
  };
  useEffect(() => void load(), []);
  return (
    <Dialog
      isAside
      title={`Input ${count(index)}`}
      onClose={() => {
        location.hash = linkTo(runId);
      }}
    >
      {(close) => (
        <>
          <p class="answers top">
            <button type="button" onClick={() => void load()}>
              Load again
            </button>
            <button type="button" onClick={close}>
              Close
            </button>
          </p>
          <p role="status">{refused ?? (detail ? '' : 'Loading…')}</p>
          {detail ? <Detail {...detail} /> : null}
        </>
      )}
    </Dialog>
  );
}
