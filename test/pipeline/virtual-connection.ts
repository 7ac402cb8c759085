// The end of a run loads them, which takes real time, while a test lets virtual time pass.
import '@aws-sdk/client-s3';
import '../../src/emulator/s3/index.ts';
import { afterEach, beforeEach, vi } from 'vitest';
import { connect, type Fanfold } from '../../src/index.ts';

/** A connection in this process for each test of a file, in virtual time. */
export function virtualConnection(workers: number): { readonly fanfold: Fanfold } {
  let opened: Fanfold | undefined;
  beforeEach(async () => {
    vi.useFakeTimers({
      toFake: [
        ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const),
        ...(['Date', 'performance'] as const),
      ],
    });
    opened = await connect({ workers });
  });
  afterEach(async () => {
    const closed = opened?.close();
    await vi.advanceTimersByTimeAsync(5_000);
    await closed;
    vi.useRealTimers();
  });
  return {
    get fanfold() {
      if (opened === undefined) throw new Error('No test is running.');
      return opened;
    },
  };
}

/** The whole numbers from 0. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
