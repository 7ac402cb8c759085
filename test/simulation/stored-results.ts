import { createHash } from 'node:crypto';
import { S3 } from '../../src/emulator/s3/index.ts';
import type { Facts, Storage } from '../../src/emulator/s3/storage.ts';
import type { Service } from '../../src/emulator/transport/index.ts';
import { RunLedger } from '../../src/pipeline/run/ledger.ts';
import type { RunEnded } from '../../src/pipeline/storing/announce.ts';
import type { Manifest } from '../../src/pipeline/storing/manifest.ts';
import { decodeRun, type Part } from '../../src/pipeline/storing/state.ts';

export const BUCKET = 'simulated-results';
export const PLACE = `s3://${BUCKET}/runs/`;

/** The bucket of results and the event bus, as a reader sees them. */
export class StoredResults {
  readonly #objects = new Map<string, Uint8Array>();
  readonly s3: S3;
  /** Runs whose end was announced. */
  readonly announced = new Map<string, RunEnded>();
  readonly violations: string[] = [];

  constructor() {
    this.s3 = new S3({ storage: this.#storage() });
    this.s3.addBucket(BUCKET);
  }

  /** The event bus. */
  readonly bus: Service = ({ body }) => {
    const { Entries } = JSON.parse(textOf(body)) as {
      Entries: { DetailType: string; Detail: string }[];
    };
    for (const { DetailType, Detail } of Entries) {
      if (DetailType !== 'Fanfold Run Ended') continue;
      const detail = JSON.parse(Detail) as RunEnded;
      this.announced.set(detail.runId, detail);
      if (this.manifest(detail.runId) === undefined) {
        this.violations.push(`Run ${detail.runId} was announced as ended without a manifest.`);
      }
    }
    return { status: 200, headers: {}, body: '{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}' };
  };

  /** Whether the record of a run says that an input's result is stored, and a part has it. */
  has(runId: string, index: number): boolean {
    const state = this.#object(runId, 'state');
    if (state === undefined) return false;
    const { ledger, parts } = decoded(state, runId);
    if (!ledger.has(index)) return false;
    return parts.some(({ key }) => {
      const part = this.#object(runId, key);
      return part !== undefined && indexesIn(part).has(index);
    });
  }

  manifest(runId: string): Manifest | undefined {
    const found = this.#object(runId, 'manifest.json');
    return found && (JSON.parse(textOf(found)) as Manifest);
  }

  /** The results of a run that has ended, and what is wrong with its objects. */
  read(runId: string): { lines: string[]; faults: string[] } {
    const manifest = this.manifest(runId);
    if (manifest === undefined) return { lines: [], faults: ['it has no manifest'] };
    const faults: string[] = [];
    const lines: string[] = [];
    for (const { key, bytes, sha256, results, indexes } of manifest.parts) {
      const object = this.#object(runId, key);
      const digest = object && createHash('sha256').update(object).digest('base64');
      if (object?.length !== bytes || digest !== sha256) faults.push(`${key} is not as listed`);
      const own = this.#lines(runId, key);
      const all = own.map(indexIn);
      if (own.length !== results) faults.push(`${key} has ${own.length} results, not ${results}`);
      const ends = [Math.min(...all), Math.max(...all)];
      if (ends.join() !== indexes.join()) faults.push(`${key} has the indexes ${ends}`);
      lines.push(...own);
    }
    const listed = new Set([...manifest.parts.map(({ key }) => key), 'state', 'manifest.json']);
    const prefix = `runs/${runId}/`;
    for (const name of this.#objects.keys()) {
      const [, key = ''] = name.split('\0');
      if (!key.startsWith(prefix) || listed.has(key.slice(prefix.length))) continue;
      // One that was replaced may still have been writing, and removes it.
      if (!/^(results|failed|other)\/\d+-\d+\./.test(key.slice(prefix.length))) {
        faults.push(`${key} is not listed`);
      }
    }
    const counts = { ok: 0, failed: 0, cancelled: 0 };
    for (const line of lines)
      counts[(JSON.parse(line) as { status: keyof typeof counts }).status]++;
    const { inputs, ...ledger } = manifest.ledger;
    if (inputs !== lines.length || JSON.stringify(ledger) !== JSON.stringify(counts)) {
      faults.push(
        `its ledger is ${JSON.stringify(manifest.ledger)}; there are ${JSON.stringify(counts)}`,
      );
    }
    return { lines, faults };
  }

  #object(runId: string, key: string): Uint8Array | undefined {
    return this.#objects.get(`runs/${runId}/${key}`);
  }

  #lines(runId: string, key: string): string[] {
    return linesIn(this.#object(runId, key) ?? new Uint8Array());
  }

  #storage(): Storage {
    const objects = this.#objects;
    const nameOf = (shelf: string, key: string) =>
      shelf.includes(BUCKET) ? key : `${shelf} ${key}`;
    return {
      all: () => [],
      write(shelf: string, key: string, _facts: Facts, content: readonly Uint8Array[]) {
        objects.set(nameOf(shelf, key), Buffer.concat(content));
      },
      read(shelf: string, key: string, start: number, end: number) {
        return new Uint8Array(
          (objects.get(nameOf(shelf, key)) ?? new Uint8Array()).subarray(start, end),
        );
      },
      remove: (shelf: string, key: string) => void objects.delete(nameOf(shelf, key)),
      close() {},
    };
  }
}

/** Contents of objects, which are read again with each message that is deleted. */
const states = new WeakMap<Uint8Array, { ledger: RunLedger; parts: readonly Part[] }>();
const indexes = new WeakMap<Uint8Array, ReadonlySet<number>>();

function decoded(state: Uint8Array, runId: string) {
  const known = states.get(state);
  if (known) return known;
  const { ledger, parts } = decodeRun(state, runId);
  const read = { ledger: RunLedger.restored(ledger), parts };
  states.set(state, read);
  return read;
}

function indexesIn(part: Uint8Array): ReadonlySet<number> {
  const known = indexes.get(part);
  if (known) return known;
  const read = new Set(linesIn(part).map(indexIn));
  indexes.set(part, read);
  return read;
}

function linesIn(part: Uint8Array): string[] {
  const text = textOf(part);
  return text === '' ? [] : text.trimEnd().split('\n');
}

function indexIn(line: string): number {
  return (JSON.parse(line) as { index: number }).index;
}

function textOf(body: string | Uint8Array): string {
  return typeof body === 'string' ? body : Buffer.from(body).toString();
}
