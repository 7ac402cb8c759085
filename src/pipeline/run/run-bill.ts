import { gunzipSync, gzipSync } from 'node:zlib';
import { type Cost, costOf } from '../../planning/cost.ts';
import type { PriceTable } from '../../planning/price-table.ts';
import { noUsage, type Usage } from '../../planning/usage.ts';
import { fieldsOf, GROWING, type Used, type UsedFields, usedOf } from '../messages/used.ts';
import type { Deployment, Metered } from './deployment.ts';

/**
 * Accounts of processes that a bill keeps apart: about 30 MB. Of what further ones have used,
 * nothing is counted, since a message may arrive twice.
 */
const MOST_ACCOUNTS = 100_000;

/**
 * Silence after which a process counts as dead, in milliseconds: it reports every half minute, and
 * at its end.
 */
const SILENT_MS = 45_000;

/** What a worker uses besides its time as it stops. */
const STOPPING = { invocations: 1, fair: 6 };

/**
 * What a run has used so far: the largest of what each process has reported, and what this process
 * uses itself. Its memory is bounded by the number of workers, not of inputs.
 */
export class RunBill {
  readonly #metered: Metered;
  readonly #runId: string;
  /** Prices of what it has used. @default AWS's public ones */
  readonly prices: PriceTable | undefined;
  readonly #accounts = new Map<string, Used>();
  readonly #total = noUsage();
  /** When functions' processes were heard of that have used more since. */
  readonly #aliveAt = new Map<string, number>();
  /** When the processes were heard of that go on for a while after their last chunk. */
  readonly #heardAt = new Map<string, number>();

  /**
   * @param saved what an earlier collector saved
   * @param prices default: AWS's public ones
   */
  constructor(metered: Metered, runId: string, saved?: string, prices?: PriceTable) {
    this.#metered = metered;
    this.#runId = runId;
    this.prices = prices;
    if (saved === undefined) return;
    const text = gunzipSync(Buffer.from(saved, 'base64')).toString();
    for (const fields of JSON.parse(text) as UsedFields[]) this.add(usedOf(fields));
  }

  /** Adds a report of a process. It may be old, or known. */
  add(used: Used): void {
    const known = this.#accounts.get(used.id);
    if (known === undefined && this.#accounts.size >= MOST_ACCOUNTS) {
      this.#total.isLeast = true;
      return;
    }
    const { id, memoryMb, isArm } = known ?? used;
    const account = known ?? usedOf([id, memoryMb, isArm ? 1 : 0]);
    this.#accounts.set(id, account);
    if (memoryMb > 0 && used.ms > account.ms) this.#aliveAt.set(id, performance.now());
    if (used.ms >= account.ms) {
      account.tailMs = used.tailMs;
      if (used.tailMs > 0) this.#heardAt.set(id, performance.now());
      else this.#heardAt.delete(id);
    }
    const more = usedOf([id, memoryMb, isArm ? 1 : 0]);
    for (const name of GROWING) {
      more[name] = Math.max(0, used[name] - account[name]);
      account[name] += more[name];
    }
    addTo(this.#total, more);
  }

  /** What was used so far, and what the workers that are there are certain to use. */
  get usage(): Usage {
    this.#addOwn();
    const usage = structuredClone(this.#total);
    for (const [id, heardAt] of this.#heardAt) {
      const account = this.#accounts.get(id);
      if (account === undefined || performance.now() - heardAt > SILENT_MS) continue;
      const { memoryMb, isArm, tailMs: ms } = account;
      addTo(usage, { ...usedOf([id, memoryMb, isArm ? 1 : 0]), ms });
    }
    return usage;
  }

  /** What that costs. */
  get cost(): Cost {
    return costOf(this.#metered.region, this.usage, this.prices);
  }

  /**
   * The functions' processes that are in flight, as far as they were heard of lately; and what they
   * cost from their last report on, in US dollars, if they stop in this time.
   */
  inFlight(stopMs: number): { workers: number; usd: number } {
    const now = performance.now();
    const usage = noUsage();
    for (const [id, at] of this.#aliveAt) {
      const account = this.#accounts.get(id);
      if (account === undefined || now - at > SILENT_MS) {
        this.#aliveAt.delete(id);
        continue;
      }
      const { memoryMb, isArm } = account;
      const ms = now - at + stopMs;
      addTo(usage, { ...usedOf([id, memoryMb, isArm ? 1 : 0]), ms, ...STOPPING });
    }
    const { usd = 0 } = costOf(this.#metered.region, usage, this.prices);
    return { workers: this.#aliveAt.size, usd };
  }

  /** The accounts, for a later collector of the run. */
  save(): string {
    this.#addOwn();
    const text = JSON.stringify(Array.from(this.#accounts.values(), fieldsOf));
    return gzipSync(text, { level: 1 }).toString('base64');
  }

  #addOwn(): void {
    const own = this.#metered.usedFor(this.#runId);
    if (own) this.add(own);
  }
}

function addTo(total: Usage, more: Used): void {
  const { memoryMb, isArm } = more;
  total.gbSeconds[isArm ? 'arm64' : 'x86_64'] += ((memoryMb / 1024) * more.ms) / 1000;
  total.invocations += more.invocations;
  total.sqs.standard += more.standard;
  total.sqs.fair += more.fair;
  total.sqs.fifo += more.fifo;
  total.s3.put += more.put;
  total.s3.get += more.get;
  total.transferBytes += more.bytes;
}

/** The bill of a run; undefined where nothing is billed. */
export function billOf(
  { metered, prices }: Pick<Deployment, 'metered' | 'prices'>,
  runId: string,
  saved?: string,
): RunBill | undefined {
  return metered && new RunBill(metered, runId, saved, prices);
}
