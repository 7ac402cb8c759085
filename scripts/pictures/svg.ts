import type { Frame, Size } from './record.ts';

const CHARACTER = { width: 8.4, height: 20, font: 14 };
const MARGIN = 16;
/** Rest at the end, before the recording plays again, in milliseconds. */
const REST_MS = 5_000;
/** Times that the recording plays: it ends, so that it does not distract readers for long. */
const TIMES = 3;

/**
 * Makes an animated picture of a recorded terminal, without a script: the frames are below each
 * other, and an animation moves each in turn behind the window.
 *
 * @returns SVG that shows the last frame where nothing may move
 */
export function toSvg(command: string, frames: readonly Frame[], { columns, rows }: Size): string {
  const last = frames.at(-1);
  if (last === undefined) throw new Error('Nothing was recorded.');
  const window = { width: Math.ceil(columns * CHARACTER.width), height: rows * CHARACTER.height };
  const width = window.width + 2 * MARGIN;
  const height = window.height + 2 * MARGIN;
  const duration = last.at + REST_MS;
  const offset = (index: number) => `transform:translateY(${-index * window.height}px)`;
  const steps = frames.map(({ at }, index) => `${percent(at / duration)}{${offset(index)}}`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title desc">
<title id="title">${escaped(command)}</title>
<desc id="desc">${escaped(last.rows.join('\n').trim())}</desc>
<style>
.window{fill:#f6f8fa;stroke:#d1d9e0}
text{fill:#1f2328;font:${CHARACTER.font}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;white-space:pre}
@media (prefers-color-scheme:dark){.window{fill:#151b23;stroke:#3d444d}text{fill:#f0f6fc}}
.film{${offset(frames.length - 1)};animation:film ${duration.toFixed(0)}ms step-end ${TIMES}}
@keyframes film{${steps.join('')}}
@media (prefers-reduced-motion:reduce){.film{animation:none}}
</style>
<rect class="window" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
<svg aria-hidden="true" x="${MARGIN}" y="${MARGIN}" width="${window.width}" height="${window.height}"><g class="film">
${frames.map(({ rows }, index) => frame(rows, index * window.height)).join('\n')}
</g></svg>
</svg>
`;
}

function frame(rows: readonly string[], top: number): string {
  const texts = rows.flatMap((row, y) => runsOf(row, top + (y + 0.75) * CHARACTER.height));
  return `<g>${texts.join('')}</g>`;
}

/**
 * One element for a row's letters, and one for its bar's: blocks may come from another font, with
 * another width, which would move the letters behind them.
 */
function runsOf(row: string, y: number): string[] {
  return Array.from(row.matchAll(/[█░]+|[^█░]+/g), ({ 0: text, index }) => {
    const x = (index * CHARACTER.width).toFixed(1);
    const length = (text.length * CHARACTER.width).toFixed(1);
    return `<text xml:space="preserve" x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs">${escaped(text)}</text>`;
  });
}

function percent(part: number): string {
  return `${(part * 100).toFixed(3)}%`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
