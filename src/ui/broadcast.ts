import type { ServerResponse } from 'node:http';
import { messageOf } from '../errors.ts';
import type { LiveRun } from './protocol.ts';

/** Shortest interval of snapshots, in milliseconds. */
const LEAST_MS = 500;

/** Bytes of snapshots per millisecond, for each page: half a megabyte a second. */
const BYTES_PER_MS = 500;

/** Multiple of the time that a snapshot takes which must pass until the next: 5 % of a core. */
const SPARED = 20;

/** Interval of comments, in milliseconds: proxies close connections that are silent for long. */
const KEEP_ALIVE_MS = 15_000;

const HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' };

interface Snapshot {
  text: string;
  /** What shows whether it differs from the one before. */
  key: string;
  isLast: boolean;
}

interface Client {
  /** The snapshot that it was sent last. */
  sent: Snapshot | undefined;
  sentAt: number;
}

/** Sends snapshots of a run to all pages that show it, while there are any. */
export class Broadcast {
  readonly #look: () => Promise<LiveRun>;
  readonly #onIdle: () => void;
  readonly #clients = new Map<ServerResponse, Client>();
  /** Pages that wait for their first snapshot. */
  #joining = 0;
  #latest: Snapshot | undefined;
  #known: LiveRun | undefined;
  #waitMs = LEAST_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn: Promise<void> = Promise.resolve();

  /** @param onIdle called when the last page has left */
  constructor(look: () => Promise<LiveRun>, onIdle: () => void) {
    this.#look = look;
    this.#onIdle = onIdle;
  }

  /** Adds a page. @throws the error of the first look, before anything is sent */
  async add(response: ServerResponse): Promise<void> {
    this.#joining++;
    try {
      const latest = this.#clients.size > 0 ? this.#latest : undefined;
      const first = latest ?? (await this.#next());
      if (response.destroyed) return;
      response.writeHead(200, HEADERS);
      response.on('close', () => {
        this.#clients.delete(response);
        this.#leaveIfIdle();
      });
      this.#clients.set(response, { sent: undefined, sentAt: 0 });
      this.#send(first);
      this.#schedule();
    } finally {
      this.#joining--;
      this.#leaveIfIdle();
    }
  }

  /** Sends the present state at once. */
  now(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#round());
    return this.#turn;
  }

  #leaveIfIdle(): void {
    if (this.#clients.size + this.#joining > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#onIdle();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#clients.size === 0) return;
    this.#timer = setTimeout(() => void this.now(), this.#waitMs);
    this.#timer.unref();
  }

  async #round(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#clients.size === 0) return;
    const snapshot = await this.#next().catch((error: unknown) => this.#away(error));
    this.#send(snapshot);
    this.#schedule();
  }

  async #next(): Promise<Snapshot> {
    const from = performance.now();
    const cpu = process.cpuUsage();
    const run = await this.#look();
    this.#known = run;
    const snapshot = this.#snapshotOf(run);
    const { user, system } = process.cpuUsage(cpu);
    // A look may wait for the network, and other work may go on meanwhile.
    const tookMs = Math.min(performance.now() - from, (user + system) / 1000);
    this.#waitMs = Math.max(LEAST_MS, snapshot.text.length / BYTES_PER_MS, tookMs * SPARED);
    return snapshot;
  }

  /** The latest snapshot again if nothing has changed since. */
  #snapshotOf(run: LiveRun): Snapshot {
    const key = keyOf(run);
    if (this.#latest?.key === key) return this.#latest;
    const text = `event: run\ndata: ${JSON.stringify(run)}\n\n`;
    this.#latest = { text, key, isLast: run.state === 'ended' };
    return this.#latest;
  }

  /** The state before, with why there is no newer one. */
  #away(error: unknown): Snapshot {
    if (this.#known === undefined) throw error;
    const limit = `Its present state cannot be read: ${messageOf(error)}`;
    return this.#snapshotOf({ ...this.#known, limit });
  }

  #send(snapshot: Snapshot): void {
    const now = performance.now();
    for (const [response, client] of this.#clients) {
      if (snapshot.isLast) {
        const last = client.sent === snapshot ? '' : snapshot.text;
        response.end(`${last}event: end\ndata: {}\n\n`);
        continue;
      }
      // A slow page gets the snapshot that is the latest once it has read the one before.
      if (response.writableNeedDrain) continue;
      if (client.sent !== snapshot) response.write(snapshot.text);
      else if (now - client.sentAt >= KEEP_ALIVE_MS) response.write(': no change\n\n');
      else continue;
      this.#clients.set(response, { sent: snapshot, sentAt: now });
    }
  }
}

/** All of a snapshot that changes, but not its time: statistics change with results. */
function keyOf({ report: { statistics, ...about }, rate, etaMs, ...run }: LiveRun): string {
  const { ledger, durations, failures } = statistics;
  const speed = [rate, etaMs].map((number) => number?.toPrecision(2));
  return JSON.stringify([run, about, speed, ledger, durations.count, failures.length]);
}
