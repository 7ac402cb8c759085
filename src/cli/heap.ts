import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Size beyond which the young generation costs memory and saves no time. */
const ENOUGH_BYTES = 32 * 1024 * 1024;

const CHECK_INTERVAL_MS = 100;

/**
 * Limits the growth of V8's heap once the young generation is large enough. V8 sizes the young
 * generation by the machine's memory, up to 128 MB, which a run fills with garbage. It lets the old
 * generation grow to four times its live data. The option that bounds the young generation is read
 * only when Node starts, but the growth factors are read each time that a generation grows.
 */
export function boundHeap(): void {
  const timer = setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    if (young === undefined || young.space_size < ENOUGH_BYTES) return;
    clearInterval(timer);
    setFlagsFromString('--semi-space-growth-factor=1');
    setFlagsFromString('--heap-growing-percent=150');
  }, CHECK_INTERVAL_MS);
  timer.unref();
}
