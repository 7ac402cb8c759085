import { useState } from 'preact/hooks';
import type { InputDetail } from '../src/report/report-data.ts';
import type { Statistics } from '../src/report/statistics.ts';
import { Detail } from './detail.tsx';
import { count } from './format.ts';
import { IndexForm } from './index-form.tsx';

interface FindProps {
  /** What is known of inputs, by their indexes. */
  known: ReadonlyMap<number, InputDetail>;
  statistics: Statistics;
}

/** Shows one input of a report. */
export function Find({ known, statistics }: FindProps) {
  const [index, setIndex] = useState<number>();
  const detail = index === undefined ? undefined : known.get(index);
  const { inputs, sealed } = statistics.ledger;
  return (
    <section>
      <IndexForm inputs={sealed ? inputs : undefined} onIndex={setIndex} />
      <div role="status">
        {index === undefined ? null : detail ? (
          <>
            <h2>Input {count(index)}</h2>
            <Detail {...detail} />
          </>
        ) : (
          <p class="quiet">{whyUnknown(index, statistics, known.size)}</p>
        )}
      </div>
    </section>
  );
}

function whyUnknown(index: number, { ledger, left }: Statistics, samples: number): string {
  const { inputs, sealed } = ledger;
  if (sealed && index >= inputs)
    return `There is no input ${count(index)}: the last is ${count(inputs - 1)}.`;
  if (left.includes(index)) return `Input ${count(index)} has no result.`;
  const has =
    samples === 0
      ? 'no single input'
      : samples === 1
        ? 'one input that failed'
        : `${count(samples)} inputs that failed`;
  return `This report tells of ${has}. The result of input ${count(index)} is in the file of results: in the line that begins with {"index":${index},`;
}
