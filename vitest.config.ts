import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that wait for real time to pass, start many processes, or keep a processor busy for long. */
const SLOW = [
  'test/{nested,without-close}.test.ts',
  'test/browser/*.test.ts',
  'test/clients/awscli.test.ts',
  'test/contract/in-flight.test.ts',
  'test/contract/s3/servers.test.ts',
  'test/package/*.test.ts',
  'test/pipeline/runs/{collect-run,many-runs}.test.ts',
  'test/simulation/{calm,determinism,marks}.test.ts',
  'test/cli/{clocks,elsewhere,flow,killed-server,logs,output,resets,resume,run,serve,sqs}.test.ts',
  'test/cli/{mistakes-at-work,stack,stored,terminal,two-hosts,work}.test.ts',
  'test/handlers/{hostile-messages,hung,seed-from-s3}.test.ts',
  'test/serve/{flood,large-values,live-workers}.test.ts',
  'test/processes/{blocked,ending,strays,unread-answer,workers}.test.ts',
  'test/emulator/sqs/store/*.test.ts',
  'test/stack/{bundle,deployed,loading,mutations,native-modules,own-app,packed-app}.test.ts',
  'test/stack/{delivered-events,runs,tasks-check,deployment/functions}.test.ts',
];

/** The tests that take longest, longest first: one that began last would run on alone. */
const LONGEST = [
  'cli/elsewhere',
  'stack/runs',
  'package/package',
  'cli/resume',
  'cli/work',
  'cli/serve',
  'stack/bundle',
  'cli/flow',
  'processes/workers',
  'cli/killed-server',
  'clients/awscli',
].map((name) => `/test/${name}.test.ts`);

/** Begins with the longest tests. The others follow in vitest's order, which is by size. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((path) => moduleId.endsWith(path));
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}

const common = {
  globalSetup: ['test/bundled-cli.ts'],
  setupFiles: ['test/environment.ts'],
  // Real processes on slow machines: the limit is for what hangs, not for what is slow.
  testTimeout: 180_000,
  hookTimeout: 180_000,
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    tags: [
      { name: 'more', description: 'slow tests of what rarely breaks, which CI has no time for' },
    ],
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
      { test: { name: 'slow', include: SLOW, ...common } },
    ],
  },
});
