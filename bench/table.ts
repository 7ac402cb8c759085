import type { Figure, Skipped } from './benchmark.ts';

export interface Row {
  name: string;
  outcome: readonly Figure[] | Skipped | { failed: Error };
}

const HEAD = ['benchmark', 'figure', 'ours', 'baseline', 'ratio', 'goal', 'met'];

/** Formats the table. A skipped benchmark has the reason in place of its figures. */
export function table(rows: readonly Row[]): string {
  const lines = rows.flatMap(linesOf);
  const widths = HEAD.map((head, column) =>
    Math.max(
      head.length,
      ...lines.map((cells) => (cells.length > 2 ? cells[column] : '')?.length ?? 0),
    ),
  );
  widths[0] = Math.max(...rows.map((row) => row.name.length), HEAD[0]?.length ?? 0);
  return [HEAD, widths.map((width) => '-'.repeat(width)), ...lines]
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function linesOf({ name, outcome }: Row): string[][] {
  if ('skipped' in outcome) return [[name, `skipped: ${outcome.skipped}`]];
  if ('failed' in outcome) return [[name, 'failed: see above']];
  return outcome.map(({ what, ours, baseline = '', ratio = '', goal }, place) => [
    place === 0 ? name : '',
    what,
    ours,
    baseline,
    ratio,
    goal?.text ?? '',
    goal ? (goal.met ? 'yes' : 'NO') : '',
  ]);
}
