import { type AnyTask, TaskRegistry } from '../../task.ts';
import type { Ran } from './protocol.ts';

/** An attempt that takes so long is worth a line of its own, in milliseconds. */
const SLOW_MS = 1_000;

/** So many lines at once can still be read. */
const SLOW_LINES = 8;

const TELL_MS = 500;

/** The same tasks, which tell at most twice a second what has been run of them. */
export function tellingTasks(
  tasks: TaskRegistry,
  tell: (ran: Ran) => void,
): { tasks: TaskRegistry; close(): void } {
  let ran = nothing();
  const tellAll = () => {
    if (ran.ok + ran.failed === 0) return;
    tell(ran);
    ran = nothing();
  };
  const timer = setInterval(tellAll, TELL_MS);
  const telling = new TaskRegistry();
  for (const task of tasks.all()) {
    const ended = (index: number, ok: boolean, startedAt: number) => {
      if (ok) ran.ok++;
      else ran.failed++;
      const ms = performance.now() - startedAt;
      if (ms < SLOW_MS || ran.slow.length >= SLOW_LINES) return;
      ran.slow.push({ task: task.name, index, ok, ms });
    };
    telling.add(watched(task, ended));
  }
  return {
    tasks: telling,
    close() {
      clearInterval(timer);
      tellAll();
    },
  };
}

/** Not an async function: most tasks that answer at once are worth more than a promise each. */
function watched(
  task: AnyTask,
  ended: (index: number, ok: boolean, startedAt: number) => void,
): AnyTask {
  return {
    ...task,
    run(input, context) {
      const startedAt = performance.now();
      const end = (ok: boolean) => ended(context.index, ok, startedAt);
      let output: unknown;
      try {
        output = task.run(input, context);
      } catch (error) {
        end(false);
        throw error;
      }
      if (!(output instanceof Promise)) {
        end(true);
        return output;
      }
      output.then(
        () => end(true),
        () => end(false),
      );
      return output;
    },
  };
}

function nothing(): Ran {
  return { ok: 0, failed: 0, slow: [] };
}
