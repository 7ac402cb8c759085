import { defineConfig } from 'vitest/config';

/** Tests that wait for real time to pass, start many processes, or keep a processor busy for long. */
const SLOW = [
  'test/{nested,without-close}.test.ts',
  'test/clients/awscli.test.ts',
  'test/contract/in-flight.test.ts',
  'test/contract/s3/servers.test.ts',
  'test/package/*.test.ts',
  'test/pipeline/runs/{collect-run,many-runs}.test.ts',
  'test/simulation/{calm,determinism,marks}.test.ts',
  'test/cli/{clocks,elsewhere,flow,killed-server,logs,output,resets,resume,run,serve,sqs}.test.ts',
  'test/cli/{mistakes-at-work,stack,terminal,two-hosts,work}.test.ts',
  'test/handlers/{hostile-messages,hung,seed-from-s3}.test.ts',
  'test/serve/{flood,live-workers}.test.ts',
  'test/processes/{blocked,ending,strays,unread-answer,workers}.test.ts',
  'test/emulator/sqs/store/*.test.ts',
  'test/stack/{bundle,deployed,loading,mutations,native-modules,own-app,packed-app}.test.ts',
  'test/stack/{runs,tasks-check,deployment/functions}.test.ts',
];

/** Slow tests of parts that rarely change, which CI has no time for. */
const MORE = ['test/emulator/sqs/store/{kill,restart}.test.ts'];

const common = {
  globalSetup: ['test/bundled-cli.ts'],
  setupFiles: ['test/environment.ts'],
  // Real processes on slow machines: the limit is for what hangs, not for what is slow.
  testTimeout: 180_000,
  hookTimeout: 180_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: SLOW,
          // Loading the SDK and the CDK for each file would take a fourth of the time.
          isolate: false,
        },
      },
      { test: { name: 'slow', include: SLOW, exclude: MORE, ...common } },
      { test: { name: 'more', include: MORE, ...common } },
    ],
  },
});
