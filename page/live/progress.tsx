import { count, share } from '../format.ts';

interface Done {
  ok: number;
  failed: number;
  cancelled: number;
  /** Those that are known. */
  inputs: number;
  /** Whether more inputs may come. */
  isOpen: boolean;
}

/** How far a run is. */
export function Progress({ ok, failed, cancelled, inputs, isOpen }: Done) {
  const done = ok + failed + cancelled;
  const all = Math.max(inputs, done, 1);
  const parts = { ok, failed, cancelled };
  const text = `${count(done)} of ${inputsOf(inputs, isOpen)} done, ${share(done, all)}`;
  return (
    <span
      class={`progress ${isOpen ? 'open' : ''}`}
      role="progressbar"
      aria-label="Progress"
      aria-valuemin={0}
      aria-valuemax={all}
      aria-valuenow={done}
      aria-valuetext={text}
    >
      {Object.entries(parts).map(([name, part]) => (
        <span key={name} class={name} style={{ width: `${(part / all) * 100}%` }} />
      ))}
    </span>
  );
}

/** Such as `2,000 inputs`. */
export function inputsOf(inputs: number, isOpen: boolean): string {
  return `${count(inputs)} inputs${isOpen ? ' so far' : ''}`;
}

/** What the colours of a progress bar mean, in numbers. */
export function ProgressKeys({ ok, failed, cancelled, inputs, isOpen }: Done) {
  const left = Math.max(0, inputs - ok - failed - cancelled);
  return (
    <p class="keys">
      <span class="key ok">{count(ok)} ok</span>
      <span class="key failed">{count(failed)} failed</span>
      {cancelled > 0 ? <span class="key cancelled">{count(cancelled)} cancelled</span> : null}
      <span class="key left">
        {count(left)}
        {isOpen ? ' or more' : ''} left
      </span>
    </p>
  );
}
