import { useState } from 'preact/hooks';
import type { Knobs } from '../../src/ui/protocol.ts';
import { ask, runPath } from './api.ts';
import { Dialog } from './dialog.tsx';

interface BoundsProps {
  runId: string;
  knobs: Knobs;
  onClose: () => void;
}

/** Changes how much of a run may go on at once. The server checks the values, and says what is wrong. */
export function BoundsDialog({ runId, knobs, onClose }: BoundsProps) {
  // Those at its opening: a snapshot must not change what somebody edits.
  const [before] = useState(knobs);
  const [refused, setRefused] = useState('');
  const [isAsking, setAsking] = useState(false);
  const submit = async (form: HTMLFormElement, close: () => void) => {
    setAsking(true);
    setRefused('');
    try {
      const changes = changesOf(new FormData(form), before);
      if (Object.keys(changes).length > 0) await ask(runPath(runId, 'set'), changes);
      close();
    } catch (error) {
      setRefused((error as Error).message);
    } finally {
      setAsking(false);
    }
  };
  return (
    <Dialog title="Change bounds" onClose={onClose}>
      {(close) => (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            void submit(event.currentTarget, close);
          }}
        >
          <Bound
            name="concurrency"
            label="Concurrency"
            unit="inputs at once"
            value={before.concurrency}
          />
          <Bound
            name="rate"
            label="Rate"
            unit="starts, such as 100/s, 20/m or 5/h"
            value={before.rate}
          />
          <p class="quiet">An empty field lifts the bound.</p>
          <p class="refused" id="bounds-refused" role="alert">
            {refused}
          </p>
          <p class="answers">
            <button type="button" onClick={close}>
              Close
            </button>
            <button type="submit" class="main" disabled={isAsking}>
              Change
            </button>
          </p>
        </form>
      )}
    </Dialog>
  );
}

interface BoundProps {
  name: string;
  label: string;
  unit: string;
  value: string | number | null | undefined;
}

function Bound({ name, label, unit, value }: BoundProps) {
  return (
    <label>
      {label} <small>{unit}</small>
      <input
        name={name}
        defaultValue={textOf(value)}
        autocomplete="off"
        placeholder="no bound"
        aria-describedby="bounds-refused"
      />
    </label>
  );
}

function textOf(value: BoundProps['value']): string {
  return value === null || value === undefined ? '' : String(value);
}

/** Only what differs: others may have changed the rest meanwhile. */
function changesOf(form: FormData, before: Knobs): object {
  const [concurrency, rate] = ['concurrency', 'rate'].map((name) => String(form.get(name)).trim());
  return {
    ...(concurrency === textOf(before.concurrency)
      ? {}
      : { concurrency: concurrency ? amountOf(concurrency) : null }),
    ...(rate === textOf(before.rate) ? {} : { rate: rate || null }),
  };
}

/** What is no number stays a text, which the server refuses with a sentence. */
function amountOf(text: string): number | string {
  return /^-?\d{1,12}(\.\d{1,12})?$/.test(text) ? Number(text) : text;
}
