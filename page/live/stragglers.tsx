import type { ComponentChildren } from 'preact';
import type { LiveRun } from '../../src/ui/protocol.ts';
import { duration } from '../format.ts';
import { Scroll } from '../scroll.tsx';

interface StragglersProps {
  stragglers: LiveRun['stragglers'];
  /** @default the index as text */
  link: ((index: number) => ComponentChildren) | undefined;
}

/** The inputs that run for long. */
export function Stragglers({ stragglers, link = (index) => index }: StragglersProps) {
  if (stragglers.length === 0) return null;
  return (
    <section>
      <h2>Stragglers</h2>
      <Scroll label="Stragglers">
        <table>
          <thead>
            <tr>
              <th scope="col">Input</th>
              <th scope="col">Worker</th>
              <th scope="col" class="number">
                Runs for
              </th>
            </tr>
          </thead>
          <tbody>
            {stragglers.map(({ index, worker, ms }) => (
              <tr key={index}>
                <td>{link(index)}</td>
                <td class="text">{worker}</td>
                <td class="number">{duration(ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
