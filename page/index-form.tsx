import { useState } from 'preact/hooks';
import { count } from './format.ts';

interface IndexFormProps {
  /** Number of inputs, if it is known. */
  inputs: number | undefined;
  onIndex: (index: number) => void;
}

/** Asks for the index of an input. */
export function IndexForm({ inputs, onIndex }: IndexFormProps) {
  const [refused, setRefused] = useState('');
  const submit = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    const given = String(new FormData(event.currentTarget).get('index')).replace(/[\s,_]/g, '');
    const isIndex = /^\d{1,12}$/.test(given);
    setRefused(isIndex ? '' : `An index is a whole number from 0${lastOf(inputs)}.`);
    if (isIndex) onIndex(Number(given));
  };
  return (
    <search>
      <form class="search" onSubmit={submit}>
        <label>
          <span>Input</span>
          <input
            name="index"
            inputMode="numeric"
            placeholder="Index, such as 42"
            autocomplete="off"
            aria-describedby="search-refused"
            aria-invalid={refused !== ''}
          />
        </label>
        <button type="submit">Show</button>
        <span class="refused" id="search-refused" role="alert">
          {refused}
        </span>
      </form>
    </search>
  );
}

function lastOf(inputs: number | undefined): string {
  return inputs ? ` to ${count(inputs - 1)}` : '';
}
