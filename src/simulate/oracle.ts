import type { FailureCode, Result } from '../pipeline/result.ts';
import type { Consumer } from './consumer.ts';
import type { Execution, Executions } from './executions.ts';
import type { InputKind, Scenario, SimInput } from './scenario.ts';
import { flakyAttempts, outputOf } from './task.ts';
import type { Wire } from './wire.ts';

/** How an input that is left in peace ends; undefined: ok. */
const FAILS_AS: Record<InputKind, FailureCode | undefined> = {
  ok: undefined,
  flaky: 'TaskFailed',
  fails: 'TaskFailed',
  hopeless: 'TaskFailed',
  invalid: 'InvalidInput',
  hangs: 'TimedOut',
  huge: 'OutputTooLarge',
  strange: 'OutputNotJson',
};

/** What a run's results must be, given what really happened to its inputs. */
export class Oracle {
  readonly #scenario: Scenario;
  readonly #executions: Executions;
  readonly #wire: Wire;

  constructor(scenario: Scenario, executions: Executions, wire: Wire) {
    this.#scenario = scenario;
    this.#executions = executions;
    this.#wire = wire;
  }

  /** What is wrong with a run's results, a sentence each. */
  faultsOf(consumer: Consumer): string[] {
    const { run, plan, disk } = consumer;
    if (run === undefined) return [];
    const wrong: string[] = [];
    const times = new Map<number, number>();
    for (const result of disk.results) {
      times.set(result.index, (times.get(result.index) ?? 0) + 1);
      const input = plan.inputs[result.index];
      const fault = input
        ? this.#wrongResult(consumer, run.runId, result, input)
        : 'there is no such input';
      if (fault) wrong.push(`Input ${result.index} of ${consumer.actor.name}: ${fault}.`);
    }
    for (const [index, count] of times) {
      if (count > 1) wrong.push(`Input ${index} of ${consumer.actor.name} has ${count} results.`);
    }
    for (const index of plan.inputs.keys()) {
      const fault = this.#tooOften(run.runId, index);
      if (fault) wrong.push(`Input ${index} of ${consumer.actor.name}: ${fault}.`);
    }
    return consumer.error === undefined ? [...wrong, ...this.#unbalanced(consumer, times)] : wrong;
  }

  #unbalanced(
    { run, plan, disk, actor, cancelled }: Consumer,
    times: Map<number, number>,
  ): string[] {
    if (run === undefined) return [];
    const { inputs, ok, failed, cancelled: dropped, sealed } = run.ledger;
    const wrong: string[] = [];
    // A stream that is cancelled may not have given all its inputs.
    const total = cancelled ? inputs : plan.inputs.length;
    const missing = Array.from({ length: total }, (_, index) => index).filter(
      (index) => !times.has(index),
    );
    if (missing.length > 0) {
      wrong.push(`${actor.name} ended without results of inputs ${missing.join(', ')}.`);
    }
    const counts = { ok: 0, failed: 0, cancelled: 0 };
    for (const { status } of disk.results) counts[status]++;
    const told = JSON.stringify({ inputs, ok, failed, cancelled: dropped, sealed });
    const found = JSON.stringify({ inputs: total, ...counts, sealed: true });
    if (told !== found) wrong.push(`The ledger of ${actor.name} is ${told}; there are ${found}.`);
    const indexes = disk.results.map(({ index }) => index);
    if (plan.ordered && indexes.some((index, at) => index < (indexes[at - 1] ?? 0))) {
      wrong.push(`${actor.name} asked for input order, and got ${indexes.join(', ')}.`);
    }
    return wrong;
  }

  #wrongResult(
    consumer: Consumer,
    runId: string,
    result: Result<unknown>,
    input: SimInput,
  ): string | undefined {
    const { maxAttempts } = this.#scenario.task;
    const executions = this.#executions.of(runId, result.index);
    if (result.status === 'cancelled') {
      return consumer.cancelled ? undefined : 'is cancelled, and nobody cancelled the run';
    }
    const survives = input.kind === 'flaky' && flakyAttempts(result.index) < maxAttempts;
    const code = survives ? undefined : FAILS_AS[input.kind];
    if (result.status === 'ok') {
      const expected = JSON.stringify(outputOf(runId, result.index, input));
      if (code !== undefined && !survives) return `is ok; ${code} was expected`;
      const output = JSON.stringify(result.output);
      return output === expected ? undefined : `gave ${output}; ${expected} was expected`;
    }
    const { error } = result;
    if (error.code === code) return undefined;
    if (error.code === 'TimedOut' && this.#overran(executions) >= maxAttempts) return undefined;
    return `failed as ${error.code}: ${error.message}; ${code ?? 'ok'} was expected`;
  }

  /** How many executions took longer than the task allows. */
  #overran(executions: readonly Execution[]): number {
    const limit = this.#scenario.task.timeoutSeconds * 1000;
    return executions.filter(({ takesMs }) => takesMs >= limit).length;
  }

  /**
   * At least once means: `maxAttempts` executions each time that it is begun anew. That is once for
   * each time a seed sent it, and once for each time a message with it came again, or was sent
   * again by an SDK that had no answer.
   */
  #tooOften(runId: string, index: number): string | undefined {
    const { maxAttempts } = this.#scenario.task;
    const executions = this.#executions.of(runId, index);
    const { lineages } = this.#wire.run(runId).item(index);
    const most = maxAttempts * lineages;
    if (executions.length > most) {
      return `was executed ${executions.length} times; it was begun ${lineages} times, which allows ${most}`;
    }
    const attempt = Math.max(0, ...executions.map((execution) => execution.attempt));
    if (attempt <= maxAttempts) return undefined;
    return `had attempt ${attempt}; the task allows ${maxAttempts}`;
  }
}
