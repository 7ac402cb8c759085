import { type ComponentChildren, Fragment } from 'preact';

interface LastInputsProps {
  /** Their indexes. */
  left: readonly number[];
  /** @default the index as text */
  link: ((index: number) => ComponentChildren) | undefined;
}

/** The inputs that hold up the end of a run: no others are left. */
export function LastInputs({ left, link = (index) => index }: LastInputsProps) {
  if (left.length === 0) return null;
  return (
    <section>
      <h2>The last inputs</h2>
      <p>
        All others have their results. These run, or wait to run:{' '}
        {left.map((index, at) => (
          <Fragment key={index}>
            {at > 0 ? ', ' : ''}
            {link(index)}
          </Fragment>
        ))}
        .
      </p>
    </section>
  );
}
