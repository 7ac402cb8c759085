import type { Figure, Skipped } from './benchmark.ts';

export interface Row {
  name: string;
  outcome: readonly Figure[] | Skipped | { failed: Error };
}

/** Columns with their widths: rows are printed before later ones are known. */
const COLUMNS = [
  ...[['benchmark', 16] as const, ['figure', 42] as const, ['ours', 18] as const],
  ...[['baseline', 18] as const, ['ratio', 8] as const, ['goal', 20] as const, ['met', 3] as const],
];

/** The lines above the first row. */
export const HEAD = [
  lineOf(COLUMNS.map(([name]) => name)),
  lineOf(COLUMNS.map(([, width]) => '-'.repeat(width))),
];

function lineOf(cells: readonly string[]): string {
  return cells
    .map((cell, column) => cell.padEnd(COLUMNS[column]?.[1] ?? 0))
    .join('  ')
    .trimEnd();
}

/** The lines of a row. A skipped benchmark has the reason in place of its figures. */
export function linesOf(row: Row): string[] {
  return cellsOf(row).map(lineOf);
}

function cellsOf({ name, outcome }: Row): string[][] {
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
