import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** As large as it pays for: beyond, a run takes more memory and no less time. */
const ENOUGH_BYTES = 32 * 1024 * 1024;

const LOOK_MS = 100;

/**
 * Keeps V8's heap from growing further once its young generation is large enough. V8 sizes that by
 * the machine's memory, up to 128 MB, all of which a run fills with garbage; and it lets the old
 * one grow to four times what is alive. The option that bounds the young one is read only when Node
 * starts; the factors that both grow by are read at each growth.
 */
export function boundHeap(): void {
  const timer = setInterval(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    if (young === undefined || young.space_size < ENOUGH_BYTES) return;
    clearInterval(timer);
    setFlagsFromString('--semi-space-growth-factor=1');
    setFlagsFromString('--heap-growing-percent=150');
  }, LOOK_MS);
  timer.unref();
}
