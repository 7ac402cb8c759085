import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real processes on slow machines: the limit is for what hangs, not for what is slow.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
