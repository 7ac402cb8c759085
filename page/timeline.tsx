import { useEffect, useRef, useState } from 'preact/hooks';
import type { Statistics } from '../src/report/statistics.ts';
import type { Span } from '../src/report/workers.ts';
import { count, duration } from './format.ts';
import { colours, type Scheme, useScheme } from './scheme.ts';
import { Scroll } from './scroll.tsx';

/** Height of a worker's row, in pixels: of few workers, of many. */
const ROW = { tall: 18, small: 8, few: 40 };
const GAP = 2;
/** Space for the names of few workers. */
const NAMES = 90;
const TALLEST = 420;
const DEATH_WIDTH = 3;
const SLICE_WIDTH = 8;
const MOST_ZOOM = 512;

interface View {
  statistics: Statistics;
  scheme: Scheme;
  width: number;
  height: number;
  row: number;
  names: number;
  scrollTop: number;
  /** The part of the run's time that is shown, in milliseconds since 1970. */
  from: number;
  to: number;
}

/** When each worker ran inputs: a row a worker. Only the rows in view are drawn. */
export function Timeline({ statistics }: { statistics: Statistics }) {
  const workers = statistics.workers.filter(({ spans }) => spans.length > 0);
  const scheme = useScheme();
  const scroller = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  // The part that the reader chose, which stays when the run goes on; undefined is all of it.
  const [part, setPart] = useState<{ left: number; ms: number }>();
  const [hint, setHint] = useState('');
  const row = workers.length <= ROW.few ? ROW.tall : ROW.small;
  const names = row === ROW.tall ? NAMES : 0;
  const height = Math.min(TALLEST, Math.max(row, workers.length * row));
  const startedAt = Math.min(
    statistics.startedAt,
    ...workers.map(({ spans }) => spans[0]?.from ?? 0),
  );
  const whole = Math.max(1, statistics.at - startedAt);
  const shown = Math.min(whole, part?.ms ?? whole);
  const zoom = whole / shown;
  const from = startedAt + Math.min(part?.left ?? 0, whole - shown);
  const view = (): View => ({
    statistics: { ...statistics, workers },
    ...{ scheme, height, row, names, from, to: from + shown },
    width: scroller.current?.clientWidth ?? 0,
    scrollTop: scroller.current?.scrollTop ?? 0,
  });
  const redraw = () => {
    if (canvas.current) draw(canvas.current, view());
  };
  useEffect(() => {
    redraw();
    const element = scroller.current;
    if (!element) return;
    let frame = 0;
    const soon = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(redraw);
    };
    const resize = new ResizeObserver(soon);
    resize.observe(element);
    element.addEventListener('scroll', soon, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      resize.disconnect();
      element.removeEventListener('scroll', soon);
    };
  });
  if (workers.length === 0) return null;
  const show = (left: number, ms: number) =>
    setPart(
      ms < whole ? { ms, left: Math.min(whole - ms, Math.max(0, left - startedAt)) } : undefined,
    );
  const zoomBy = (factor: number) => {
    const ms = Math.max(whole / MOST_ZOOM, shown / factor);
    show(from + (shown - ms) / 2, ms);
  };
  const move = (by: number) => show(from + by * shown, shown);
  const point = (event: MouseEvent) => {
    const box = canvas.current?.getBoundingClientRect();
    if (box) setHint(hintAt(view(), event.clientX - box.left, event.clientY - box.top));
  };
  const summary = `${count(workers.length)} workers; ${duration(shown)} of ${duration(whole)} are shown.`;
  return (
    <section>
      <h2>Timeline</h2>
      <p class="tools">
        <span class="key ok">all ok</span>
        <span class="key failed">some failed</span>
        {workers.some(({ slices }) => slices.length > 0) ? (
          <span class="key sliced" title="The worker sent back the rest of a chunk for others">
            slice over
          </span>
        ) : null}
        {statistics.deaths.length > 0 ? <span class="key died">the process died</span> : null}
        <span class="buttons">
          <button
            type="button"
            onClick={() => move(-0.25)}
            disabled={zoom === 1}
            aria-label="Earlier"
          >
            ←
          </button>
          <button type="button" onClick={() => move(0.25)} disabled={zoom === 1} aria-label="Later">
            →
          </button>
          <button
            type="button"
            onClick={() => zoomBy(0.5)}
            disabled={zoom === 1}
            aria-label="Zoom out"
          >
            −
          </button>
          <button
            type="button"
            onClick={() => zoomBy(2)}
            disabled={zoom >= MOST_ZOOM}
            aria-label="Zoom in"
          >
            +
          </button>
        </span>
      </p>
      <Scroll label="Timeline" height={height} element={scroller}>
        <div style={{ height: `${workers.length * row}px` }}>
          <canvas
            ref={canvas}
            role="img"
            aria-label={summary}
            onMouseMove={point}
            onMouseLeave={() => setHint('')}
          />
        </div>
      </Scroll>
      <p class="ends">
        <span>{duration(from - startedAt)}</span>
        <span>{duration(from + shown - startedAt)}</span>
      </p>
      <p class="quiet hint">{hint || summary}</p>
    </section>
  );
}

function draw(canvas: HTMLCanvasElement, view: View): void {
  const { statistics, width, height, row, names, scrollTop, scheme } = view;
  const scale = devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(scale, scale);
  const { ok, failed, text, grid, died } = colours(scheme);
  const deaths = Map.groupBy(statistics.deaths, ({ worker }) => worker);
  context.font = '11px system-ui, sans-serif';
  context.textBaseline = 'middle';
  const first = Math.floor(scrollTop / row);
  const last = Math.min(statistics.workers.length - 1, Math.ceil((scrollTop + height) / row));
  for (let at = first; at <= last; at++) {
    const worker = statistics.workers[at];
    if (!worker) continue;
    const top = at * row - scrollTop;
    context.fillStyle = grid;
    context.fillRect(names, top + row - GAP / 2, width - names, 0.5);
    if (names > 0) {
      context.fillStyle = text;
      context.fillText(shortened(worker.name), 2, top + row / 2, names - 8);
    }
    drawSpans(context, view, worker.spans, top, { ok, failed });
    context.fillStyle = died;
    for (const at of worker.slices) drawSlice(context, view, at, top);
    for (const death of deaths.get(worker.name) ?? []) drawDeath(context, view, death.at, top);
  }
}

const NAME_LENGTH = 14;

function shortened(name: string): string {
  return name.length <= NAME_LENGTH ? name : `${name.slice(0, NAME_LENGTH - 1)}…`;
}

/** Draws spans that share a pixel once, so that a row costs no more than it has pixels. */
function drawSpans(
  context: CanvasRenderingContext2D,
  { width, names, row, from, to }: View,
  spans: readonly Span[],
  top: number,
  tones: { ok: string; failed: string },
): void {
  const perMs = (width - names) / (to - from);
  let drawnTo = Number.NEGATIVE_INFINITY;
  for (let at = firstEnding(spans, from); at < spans.length; at++) {
    const span = spans[at];
    if (!span || span.from > to) break;
    const left = Math.max(names, names + (span.from - from) * perMs);
    const right = Math.min(width, Math.max(left + 1, names + (span.to - from) * perMs - 0.5));
    if (right <= drawnTo && span.failed === 0) continue;
    context.fillStyle = span.failed > 0 ? tones.failed : tones.ok;
    context.fillRect(left, top + GAP / 2, right - left, row - GAP);
    drawnTo = Math.max(drawnTo, right);
  }
}

/** Draws the end of a slice as a small triangle that hangs from the top of the row. */
function drawSlice(context: CanvasRenderingContext2D, view: View, at: number, top: number): void {
  const { width, names, row, from, to } = view;
  if (at < from || at > to) return;
  const x = names + ((at - from) * (width - names)) / (to - from);
  const half = Math.max(2, Math.min(SLICE_WIDTH, row / 2) / 2);
  context.beginPath();
  context.moveTo(x - half, top);
  context.lineTo(x + half, top);
  context.lineTo(x, top + half * 1.5);
  context.fill();
}

/** Draws a death as a bar over the whole row: a shape that spans don't have. */
function drawDeath(context: CanvasRenderingContext2D, view: View, at: number, top: number): void {
  const { width, names, row, from, to } = view;
  if (at < from || at > to) return;
  const x = names + ((at - from) * (width - names)) / (to - from);
  context.fillRect(Math.min(width - DEATH_WIDTH, x), top, DEATH_WIDTH, row);
}

/** Place of the first span that ends at a time or later. */
function firstEnding(spans: readonly Span[], time: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.to ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function hintAt(view: View, x: number, y: number): string {
  const { statistics, row, scrollTop, names, width, from, to } = view;
  const worker = statistics.workers[Math.floor((y + scrollTop) / row)];
  if (!worker || x < names) return worker?.name ?? '';
  const at = from + ((x - names) / (width - names)) * (to - from);
  const near = (DEATH_WIDTH * (to - from)) / (width - names);
  const death = statistics.deaths.find(
    (one) => one.worker === worker.name && Math.abs(one.at - at) <= near,
  );
  if (death) return `${worker.name}: its process died`;
  if (worker.slices.some((one) => Math.abs(one - at) <= near)) {
    return `${worker.name}: its slice was over, and it sent back the rest of its chunk`;
  }
  const span = worker.spans[firstEnding(worker.spans, at)];
  if (!span || span.from > at) return `${worker.name}: idle`;
  const failed = span.failed > 0 ? `, ${count(span.failed)} failed` : '';
  return `${worker.name}: ${count(span.ok)} ok${failed} in ${duration(span.to - span.from)}`;
}
