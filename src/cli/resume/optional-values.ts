import { HERE, isRunName, RESUME } from './resumed.ts';
import { ALL, OPTION } from './retried.ts';

/**
 * Gives `--retry-failed` and `--resume` without a value one of their own: commander would take the
 * next argument, such as the task's name, as their value.
 */
export function withOptionalValues(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((arg, at) => {
    if (end !== -1 && at > end) return arg;
    if (arg === OPTION) return `${OPTION}=${ALL}`;
    const hasRun = isRunName(argv[at + 1] ?? '');
    return arg === RESUME && !hasRun ? `${RESUME}=${HERE}` : arg;
  });
}
