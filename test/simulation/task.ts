import { NonRetryableError } from '../../src/errors.ts';
import { MAX_RESULT_BYTES } from '../../src/pipeline/messages/result.ts';
import { type AnyTask, defineTask, type TaskContext } from '../../src/task.ts';
import { type Actor, currentActor, never, trueNow } from './actors.ts';
import type { EventLog } from './event-log.ts';
import type { Executions } from './executions.ts';
import type { Faults } from './faults.ts';
import { after } from './pause.ts';
import type { InputKind, SimInput, TaskPlan } from './scenario.ts';
import type { Wire } from './wire.ts';

export const TASK = 'work';

/** The number of attempts at which a flaky input fails: one or two. */
export function flakyAttempts(index: number): number {
  return 1 + (index % 2);
}

/** The output of an input that ends well. */
export function outputOf(runId: string, index: number, { kind, ms }: SimInput): object | string {
  if (kind === 'huge') return HUGE;
  return { runId, index, kind, twice: ms * 2 };
}

/** An output, or a part of an input, that no message can hold. */
export const HUGE = 'x'.repeat(MAX_RESULT_BYTES);

interface TaskSurroundings {
  executions: Executions;
  faults: Faults;
  log: EventLog;
  wire: Wire;
}

/** The simulated task: does what each input says, and leaves a record of each execution. */
export function simulatedTask(
  plan: TaskPlan,
  { executions, faults, log, wire }: TaskSurroundings,
): AnyTask {
  return defineTask({
    name: TASK,
    ...plan,
    idempotent: true,
    input: {
      '~standard': {
        version: 1,
        vendor: 'simulated',
        validate: (value) =>
          (value as SimInput).kind === 'invalid'
            ? { issues: [{ message: 'is invalid' }] }
            : { value: value as SimInput },
      },
    },
    run(input: SimInput, context) {
      const { runId, index, attempt } = context;
      const worker = currentActor();
      const takesMs = durationOf(input, faults.healed ? 1 : worker.slowness);
      wire.hands.begins(worker, runId, index, plan.timeoutSeconds * 1000);
      executions.add(runId, { index, attempt, worker, at: trueNow(), takesMs });
      log.note(`runs ${index} of ${runId.slice(-8)}, attempt ${attempt}`);
      mayDie(worker, Math.min(takesMs, plan.timeoutSeconds * 1000), faults);
      if (takesMs === Number.POSITIVE_INFINITY) return never();
      if (takesMs === 0) return END[input.kind](input, context);
      return after(takesMs).then(() => END[input.kind](input, context));
    },
  });
}

function durationOf({ kind, ms }: SimInput, slowness: number): number {
  return kind === 'hangs' ? Number.POSITIVE_INFINITY : ms * slowness;
}

/** May kill its worker at some moment of its execution. */
function mayDie(worker: Actor, ms: number, faults: Faults): void {
  if (!faults.hits('killWorker')) return;
  setTimeout(() => worker.kill('while a task ran'), faults.random.whole(0, ms));
}

/** The end of each kind of input. */
const END: Record<InputKind, (input: SimInput, context: TaskContext) => unknown> = {
  ok: (input, { runId, index }) => outputOf(runId, index, input),
  flaky: (input, { runId, index, attempt }) => {
    if (attempt <= flakyAttempts(index)) throw new Error(`flaky ${index}`);
    return outputOf(runId, index, input);
  },
  fails: (_, { index }) => {
    throw new Error(`fails ${index}`);
  },
  hopeless: (_, { index }) => {
    throw new NonRetryableError(`hopeless ${index}`);
  },
  huge: () => HUGE,
  strange: () => 10n,
  hangs: never,
  exits: () => {
    currentActor().kill('by its task');
    return never();
  },
  invalid: never,
};
