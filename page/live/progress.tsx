import { count, share } from '../format.ts';

interface Done {
  ok: number;
  failed: number;
  cancelled: number;
  inputs: number | undefined;
  isSealed: boolean;
}

/** How far a run is. Without a known number of inputs it has no end. */
export function Progress({ ok, failed, cancelled, inputs, isSealed }: Done) {
  const done = ok + failed + cancelled;
  const all = Math.max(inputs ?? 0, done, 1);
  const parts = { ok, failed, cancelled };
  const text =
    inputs === undefined
      ? `${count(done)} inputs done`
      : `${count(done)} of ${count(inputs)}${isSealed ? '' : ' or more'} inputs done, ${share(done, all)}`;
  return (
    <span
      class={`progress ${inputs === undefined ? 'open' : ''}`}
      role="progressbar"
      aria-label="Progress"
      aria-valuemin={0}
      aria-valuemax={all}
      {...(inputs === undefined ? {} : { 'aria-valuenow': done })}
      aria-valuetext={text}
    >
      {Object.entries(parts).map(([name, part]) => (
        <span key={name} class={name} style={{ width: `${(part / all) * 100}%` }} />
      ))}
    </span>
  );
}

/** What the colours of a progress bar mean, in numbers. */
export function ProgressKeys({ ok, failed, cancelled, inputs }: Done) {
  const left = inputs === undefined ? undefined : inputs - ok - failed - cancelled;
  return (
    <p class="keys">
      <span class="key ok">{count(ok)} ok</span>
      <span class="key failed">{count(failed)} failed</span>
      {cancelled > 0 ? <span class="key cancelled">{count(cancelled)} cancelled</span> : null}
      {left === undefined ? null : <span class="key left">{count(Math.max(0, left))} left</span>}
    </p>
  );
}
