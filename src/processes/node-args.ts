/** Node options for a worker process. */
export function workerArgs(): string[] {
  // Arguments take precedence over NODE_OPTIONS.
  const isSet = process.env.NODE_OPTIONS?.includes('max-semi-space-size') ?? false;
  return [...(isSet ? [] : HEAP), ...inheritedArgs(process.execArgv)];
}

/**
 * V8 sizes its young generation by the machine's memory, up to 128 MB on a large machine. The
 * garbage of a chunk is dead by the next one: collecting it sooner halves a worker's memory, and is
 * faster. Options of this process follow, and take precedence.
 */
const HEAP = ['--max-semi-space-size=16'];

/** Options that name the code to run, as a separate argument: they concern only the parent. */
const WITH_VALUE = new Set(['-e', '--eval', '-p', '--print', '-pe']);
/** Options that inspect, profile, watch or test the parent, or say how it runs its code. */
const OWN = /^--?(inspect|watch|test|cpu-prof|heap-prof|eval=|print=|check|interactive|input-type)/;

/** The parent's Node options that a worker needs too: loaders, memory limits and the like. */
function inheritedArgs(args: readonly string[]): string[] {
  return args.filter((arg, at) => {
    const before = args[at - 1] ?? '';
    const isValue = WITH_VALUE.has(before) || (OWN.test(before) && !before.includes('='));
    return !WITH_VALUE.has(arg) && !OWN.test(arg) && !(isValue && !arg.startsWith('-'));
  });
}
