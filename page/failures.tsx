import { type ComponentChildren, Fragment } from 'preact';
import type { Statistics } from '../src/report/statistics.ts';
import { count, share } from './format.ts';
import { Scroll } from './scroll.tsx';

/** The failures, grouped by code, name and message. */
export function Failures({
  failures,
  failed,
  link = (index) => index,
}: {
  failures: Statistics['failures'];
  failed: number;
  /** Links an input's index to what is known of it. @default the index as text */
  link?: ((index: number) => ComponentChildren) | undefined;
}) {
  return (
    <section>
      <h2>Failures</h2>
      {failures.length === 0 ? (
        <p class="quiet">{failed === 0 ? 'No input failed.' : 'Their messages are not known.'}</p>
      ) : (
        <Scroll label="Failures">
          <table>
            <thead>
              <tr>
                <th scope="col" class="number">
                  Inputs
                </th>
                <th scope="col">Code and message</th>
                <th scope="col">Such as input</th>
              </tr>
            </thead>
            <tbody>
              {failures.map(({ code, message, count: inputs, isLeast, indexes }) => (
                <tr key={`${code} ${message}`}>
                  <td class="number">
                    {isLeast ? 'at least ' : ''}
                    {count(inputs)} <small>{share(inputs, failed)}</small>
                  </td>
                  <td class="text">
                    <strong>{code}</strong> {message}
                  </td>
                  <td>
                    {indexes.map((index, at) => (
                      <Fragment key={index}>
                        {at > 0 ? ', ' : ''}
                        {link(index)}
                      </Fragment>
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}
