import { defineConfig } from 'vitest/config';

/** Tests that wait for real time to pass, or that take a processor for half a minute. */
const SLOW = [
  'test/clients/awscli.test.ts',
  'test/package/*.test.ts',
  'test/simulate/{determinism,marks}.test.ts',
  'test/cli/{clocks,elsewhere,killed-server,older-node,resets,resume,serve,sqs,two-hosts,work}.test.ts',
  'test/handlers/hung.test.ts',
  'test/local/served/flood.test.ts',
  'test/local/workers/*.test.ts',
  'test/local/sqs/store/*.test.ts',
  'test/stack/{bundle,deployed,loading,mutations,native-modules,packed-app,runs,tasks-check}.test.ts',
];

const common = {
  setupFiles: ['test/environment.ts'],
  // Real processes on slow machines: the limit is for what hangs, not for what is slow.
  testTimeout: 180_000,
  hookTimeout: 180_000,
};

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'quick', include: ['test/**/*.test.ts'], exclude: SLOW, ...common } },
      { test: { name: 'slow', include: SLOW, ...common } },
    ],
  },
});
