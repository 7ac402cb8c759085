import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Waits that virtual time does not know of, so that simulated code must not use them. */
const REAL =
  /AbortSignal\.timeout|setImmediate|node:timers|node:fs|node:net|node:http|node:child_process|node:worker_threads|scheduler\.|performance\.timerify|process\.hrtime|fetch\(/g;

// The simulation itself fails if anything but a timer or a microtask is created while it runs
// (`strays` in virtual-time.ts); this test covers code that no scenario reaches.
it.each(['src/pipeline/**/*.ts', 'src/handlers/*.ts', 'src/emulator/{sqs,lambda}/**/*.ts'])(
  '%s waits only for SDK calls, timers and microtasks',
  (pattern) => {
    const files = globSync(pattern, { cwd: ROOT }).filter(
      (file) => !/server\.ts$|\/store\//.test(file),
    );
    expect(files).not.toEqual([]);
    const found = files.flatMap((file) => {
      const code = readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      return Array.from(code.matchAll(REAL), ([what]) => `${file}: ${what}`);
    });
    expect(found).toEqual([]);
  },
);
