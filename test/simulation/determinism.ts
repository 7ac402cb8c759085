import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { Random } from '../../src/worlds/planned/random.ts';

let source = new Random(0);

/** From here on, everything random comes from this seed. */
export function reseed(seed: number): void {
  source = new Random(seed);
}

/**
 * Replaces every random source in this process by a seeded one, and removes the SDK's
 * settings out of its environment. Call it before the SDK or anything of `local` is imported: they take their
 * functions when they are loaded.
 */
export function makeDeterministic(): void {
  Math.random = () => source.next();
  const randomBytes = (size: number) => {
    const bytes = Buffer.alloc(size);
    source.fill(bytes);
    return bytes;
  };
  Object.assign(crypto, { randomUUID, randomBytes });
  Object.assign(globalThis.crypto, {
    randomUUID,
    getRandomValues: (array: NodeJS.TypedArray) => {
      source.fill(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return array;
    },
  });
  // Of the real machine, which sleeps at no virtual time.
  os.uptime = () => 0;
  // Makes `import { randomUUID } from 'node:crypto'` return the seeded ones.
  syncBuiltinESMExports();
  // Recording the stack of an error takes most of the time of a refused call.
  Error.stackTraceLimit = 0;
  for (const name of Object.keys(process.env))
    if (name.startsWith('AWS_')) delete process.env[name];
}

function randomUUID(): `${string}-${string}-${string}-${string}-${string}` {
  const bytes = Buffer.alloc(16);
  source.fill(bytes);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
