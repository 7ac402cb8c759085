import { count, share } from '../format.ts';

export interface Done {
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
