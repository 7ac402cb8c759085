/** The options of Node for a worker process. */
export function workerArgs(): string[] {
  // Node lets an argument win over NODE_OPTIONS.
  const isSet = process.env.NODE_OPTIONS?.includes('max-semi-space-size') ?? false;
  return [...(isSet ? [] : HEAP), ...inheritedArgs(process.execArgv)];
}

/**
 * V8 sizes its young generation by the machine's memory, up to 128 MB on a large one. What a chunk
 * leaves behind is dead by the next: collecting it sooner halves a worker's memory, and is faster.
 * Options that this process was given come later, and win.
 */
const HEAP = ['--max-semi-space-size=16'];

/** Options with a value of its own behind them, and what to run: the parent's alone. */
const WITH_VALUE = new Set(['-e', '--eval', '-p', '--print', '-pe']);
/** Options about the parent as the process that is looked at. */
const OWN = /^--?(inspect|watch|test|cpu-prof|heap-prof|eval=|print=|check|interactive|input-type)/;

/** Node's options that a worker needs too: loaders, memory limits and the like. */
function inheritedArgs(args: readonly string[]): string[] {
  return args.filter((arg, at) => {
    const before = args[at - 1] ?? '';
    const isValue = WITH_VALUE.has(before) || (OWN.test(before) && !before.includes('='));
    return !WITH_VALUE.has(arg) && !OWN.test(arg) && !(isValue && !arg.startsWith('-'));
  });
}
