import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** As large as it pays for: beyond, a run takes more memory and no less time. */
const ENOUGH_BYTES = 32 * 1024 * 1024;

const LOOK_MS = 100;

/**
 * Keeps V8's young generation from growing further once it is large enough. V8 sizes it by the
 * machine's memory, up to 128 MB, all of which a run fills with garbage; the option that bounds it
 * (`--max-semi-space-size`) is read only when Node starts, the factor that it grows by at each growth.
 */
export function boundYoungGeneration(): void {
  const timer = setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    if (young === undefined || young.space_size < ENOUGH_BYTES) return;
    clearInterval(timer);
    setFlagsFromString('--semi-space-growth-factor=1');
  }, LOOK_MS);
  timer.unref();
}
