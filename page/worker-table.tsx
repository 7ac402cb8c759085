import type { WorkerStatistics } from '../src/report/workers.ts';
import { count, duration } from './format.ts';
import { Scroll } from './scroll.tsx';

const SHOWN = 5;

/** The workers with the shortest and the longest mean duration. */
export function WorkerTable({ workers }: { workers: readonly WorkerStatistics[] }) {
  const meanOf = ({ ok, failed, ranMs }: WorkerStatistics) => ranMs / Math.max(1, ok + failed);
  const sorted = workers.toSorted((one, other) => meanOf(other) - meanOf(one));
  if (sorted.length === 0) return null;
  const isCut = sorted.length > 2 * SHOWN;
  const shown = isCut ? [...sorted.slice(0, SHOWN), ...sorted.slice(-SHOWN)] : sorted;
  return (
    <section>
      <h2>{isCut ? 'Slowest and fastest workers' : 'Workers'}</h2>
      <Scroll label="Workers">
        <table>
          <thead>
            <tr>
              <th scope="col">Worker</th>
              <th scope="col" class="number">
                Ok
              </th>
              <th scope="col" class="number">
                Failed
              </th>
              <th scope="col" class="number">
                Mean duration
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((worker) => (
              <tr key={worker.name}>
                <td class="text">{worker.name}</td>
                <td class="number">{count(worker.ok)}</td>
                <td class="number">{count(worker.failed)}</td>
                <td class="number">{duration(meanOf(worker))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
