import { createHash } from 'node:crypto';
import { duration } from './duration.ts';
import { escaped } from './html.ts';

/** A moment of a planned run. */
export interface PlanMoment {
  atSeconds: number;
  busyWorkers: number;
  /** Number of inputs with a result. */
  done: number;
}

/** What the page of a plan shows. */
export interface PlanPage {
  task: string;
  inputs: number;
  /** The plan's lines, as for a terminal. */
  lines: readonly string[];
  timeline: readonly PlanMoment[];
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
pre { white-space: pre-wrap; font-size: .85rem }
svg { width: 100%; height: auto; overflow: visible }
svg text { font-size: 12px; fill: currentColor }
.axis { stroke: currentColor; opacity: .4 }
.workers { stroke: #2f7ed8; fill: none; stroke-width: 2 }
.done { stroke: #1a9641; fill: none; stroke-width: 2 }
`;

const [WIDTH, HEIGHT] = [900, 220];

/** A plan as one file: text and two charts, without scripts. */
export function planHtml({ task, inputs, lines, timeline }: PlanPage): string {
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;
  const title = `Plan of ${escaped(task)}`;
  const most = Math.max(1, ...timeline.map(({ busyWorkers }) => busyWorkers));
  return `<!doctype html>
<html lang="en" data-fanfold-report>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
<h2>Workers that run inputs</h2>
${chart(timeline, 'workers', most, ({ busyWorkers }) => busyWorkers)}
<h2>Inputs with a result</h2>
${chart(timeline, 'done', inputs, ({ done }) => done)}
<h2>The plan</h2>
<pre>${escaped(lines.join('\n'))}</pre>
</body>
</html>
`;
}

/** Values over the time of the run, as steps from one moment to the next. */
function chart(
  timeline: readonly PlanMoment[],
  name: string,
  most: number,
  shown: (moment: PlanMoment) => number,
): string {
  const seconds = Math.max(Number.MIN_VALUE, timeline.at(-1)?.atSeconds ?? 0);
  const x = (at: number) => ((at / seconds) * WIDTH).toFixed(1);
  const y = (value: number) => (HEIGHT - (value / most) * HEIGHT).toFixed(1);
  const points = timeline.map((moment) => `${x(moment.atSeconds)},${y(shown(moment))}`);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    const text = duration(seconds * share * 1000);
    return `<text x="${x(seconds * share)}" y="${HEIGHT + 18}" text-anchor="${anchor}">${text}</text>`;
  });
  return `<svg viewBox="0 -20 ${WIDTH} ${HEIGHT + 44}" role="img" aria-label="At most ${most}">
<text x="0" y="-6">${most.toLocaleString('en-US')}</text>
<path class="axis" d="M0 0H${WIDTH}M0 ${HEIGHT}H${WIDTH}"/>
<polyline class="${name}" points="${points.join(' ')}"/>
${ticks.join('\n')}
</svg>`;
}
