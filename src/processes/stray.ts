import type { Attempt } from '../pipeline/working/attempt.ts';
import { describeThrown, withCauses } from '../thrown.ts';

/** An uncaught error: a line that describes it, and the stack frames of the user's code. */
export interface Stray {
  line: string;
  stack: string | undefined;
}

/**
 * Notes the reasons of rejected promises that nothing handles. If a reason is not an error, Node's
 * uncaught exception has only a text of it. Noted at `process.emit`, since a listener would take
 * over from Node and from libraries that listen only if nobody else does.
 */
export function noteRejections(): { reasonOf(uncaught: unknown): unknown } {
  const { emit } = process;
  let reason: unknown;
  process.emit = function (this: NodeJS.Process, ...args: unknown[]) {
    if (args[0] === 'unhandledRejection') reason = args[1];
    return Reflect.apply(emit, this, args);
  };
  return {
    reasonOf: (uncaught) =>
      Object(uncaught).code === 'ERR_UNHANDLED_REJECTION' ? reason : uncaught,
  };
}

/**
 * Describes an uncaught error, such as that of a promise or a timer that a task left behind.
 *
 * @param culprit the attempt whose code threw it, if known
 */
export function strayOf(thrown: unknown, culprit: Attempt | undefined): Stray {
  const described = describeThrown(thrown);
  const { stack } = described;
  const [, frame] = /^\s*(at .+)$/m.exec(stack ?? '') ?? [];
  const what = `${described.name}: ${withCauses(described)}${frame === undefined ? '' : ` ${frame}`}`;
  const whose =
    culprit === undefined
      ? 'which nothing caught: await the promises that tasks start, or catch their errors'
      : `which the task "${culprit.task}" did not catch for input ${culprit.index}: await the promises that it starts, or catch their errors`;
  return { line: `${what.replaceAll(/\s+/g, ' ')}, ${whose}`, stack };
}
