import type { FailureCode, Result } from '../../src/pipeline/messages/result.ts';
import type { Consumer } from './consumer.ts';
import type { Executions } from './executions.ts';
import { hasBucket, type InputKind, isCalm, type Scenario, type SimInput } from './scenario.ts';
import type { StoredConsumer } from './stored-consumer.ts';
import { flakyAttempts, outputOf } from './task.ts';
import type { Wire } from './wire.ts';

/** Code that an undisturbed input ends with; undefined: ok. */
const FAILS_AS: Record<InputKind, FailureCode | undefined> = {
  ok: undefined,
  flaky: 'TaskFailed',
  fails: 'TaskFailed',
  hopeless: 'TaskFailed',
  invalid: 'InvalidInput',
  hangs: 'TimedOut',
  huge: 'OutputTooLarge',
  strange: 'OutputNotJson',
  exits: 'WorkerDied',
};

/** Smallest number of workers that must die on an input before it may be blamed. */
const LEAST_DEATHS = 5;

/** Longest time until a result is reported, in milliseconds. */
const REPORTED_MS = 30_000;

/** Judges a run's results by what really happened to its inputs. */
export class Oracle {
  readonly #scenario: Scenario;
  readonly #executions: Executions;
  readonly #wire: Wire;

  constructor(scenario: Scenario, executions: Executions, wire: Wire) {
    this.#scenario = scenario;
    this.#executions = executions;
    this.#wire = wire;
  }

  /** The faults of the results that a consumer has, a sentence each. */
  faultsOf(consumer: Consumer | StoredConsumer): string[] {
    const { plan, disk, name, refusals } = consumer;
    const wrong = refusals.map((message) => `A seed refused ${name}: ${message}`);
    const times = new Map<number, number>();
    for (const result of disk.results) {
      times.set(result.index, (times.get(result.index) ?? 0) + 1);
      const input = plan.inputs[result.index];
      const fault = input ? this.#wrongResult(consumer, result, input) : 'there is no such input';
      if (fault) wrong.push(`Input ${result.index} of ${name}: ${fault}.`);
    }
    for (const [index, count] of times) {
      if (count > 1) wrong.push(`Input ${index} of ${name} has ${count} results.`);
    }
    for (const index of plan.inputs.keys()) {
      for (const runId of consumer.runIds) {
        const fault = this.#tooOften(runId, index);
        if (fault) wrong.push(`Input ${index} of ${name}: ${fault}.`);
      }
    }
    return [...wrong, ...this.#unbalanced(consumer, times), ...this.#inVain(consumer)];
  }

  #unbalanced(
    { run, plan, disk, name }: Consumer | StoredConsumer,
    times: Map<number, number>,
  ): string[] {
    if (run === undefined) return [];
    const { inputs, ok, failed, cancelled, sealed } = run.ledger;
    const wrong: string[] = [];
    // A stream that is cut short may not have yielded all its inputs.
    const total = run.cause === undefined ? plan.inputs.length : inputs;
    const missing = Array.from({ length: total }, (_, index) => index).filter(
      (index) => !times.has(index),
    );
    if (missing.length > 0) {
      wrong.push(`${name} ended without results of inputs ${missing.join(', ')}.`);
    }
    const counts = { ok: 0, failed: 0, cancelled: 0 };
    for (const { status } of disk.results) counts[status]++;
    const told = JSON.stringify({ inputs, ok, failed, cancelled, sealed });
    const found = JSON.stringify({ inputs: total, ...counts, sealed: true });
    if (told !== found) wrong.push(`The ledger of ${name} is ${told}; there are ${found}.`);
    const indexes = disk.results.map(({ index }) => index);
    if (plan.ordered && indexes.some((index, at) => index < (indexes[at - 1] ?? 0))) {
      wrong.push(`${name} asked for input order, and got ${indexes.join(', ')}.`);
    }
    return wrong;
  }

  /** Duplicate results, although there was no fault and their consumer took each at once. */
  #inVain({ name, plan, run }: Consumer | StoredConsumer): string[] {
    const duplicates = run?.ledger.duplicates ?? 0;
    const isPrompt = plan.consumerMs === 0 && !plan.ordered && !plan.hedge;
    if (duplicates === 0 || !isPrompt || !isCalm(this.#scenario)) return [];
    const kinds = this.#scenario.runs.flatMap(({ inputs }) => inputs.map(({ kind }) => kind));
    // Such inputs end their worker, which may have reported a part of its chunk.
    if (kinds.includes('exits') || kinds.includes('hangs')) return [];
    return [`${name} got ${duplicates} results again, and nothing went wrong.`];
  }

  #wrongResult(
    consumer: Consumer | StoredConsumer,
    result: Result<unknown>,
    input: SimInput,
  ): string | undefined {
    const { index } = result;
    if (result.status === 'cancelled') {
      return mayBeCancelled(consumer) ? undefined : 'is cancelled, and nobody cancelled the run';
    }
    const survives =
      input.kind === 'flaky' && flakyAttempts(index) < this.#scenario.task.maxAttempts;
    const isMoved = input.kind === 'huge' && hasBucket(this.#scenario);
    const code = survives || isMoved ? undefined : FAILS_AS[input.kind];
    if (result.status === 'ok') {
      if (code !== undefined) return `is ok; ${code} was expected`;
      const output = JSON.stringify(result.output);
      const expected = consumer.runIds.map((id) => JSON.stringify(outputOf(id, index, input)));
      return expected.includes(output) ? undefined : `gave ${output}; not ${expected.at(-1)}`;
    }
    const { error } = result;
    if (error.code === code || this.#mayFailAs(error.code, consumer, index)) return undefined;
    return `failed as ${error.code}: ${error.message}; ${code ?? 'ok'} was expected`;
  }

  /** Whether what really happened to an input explains a failure that its task does not. */
  #mayFailAs(
    code: FailureCode,
    { runIds, plan }: Consumer | StoredConsumer,
    index: number,
  ): boolean {
    if (code === 'Lost' || code === 'NotStarted') return plan.deadlineSeconds !== undefined;
    return runIds.some((runId) => {
      // The time to fetch an input counts.
      const isFetched = plan.isStored && plan.inputs[index]?.kind === 'huge';
      if (code === 'TimedOut') return isFetched || this.#overran(runId, index);
      return code === 'WorkerDied' && this.#deaths(runId, index) >= LEAST_DEATHS;
    });
  }

  /** Whether a last attempt took longer than the task allows. */
  #overran(runId: string, index: number): boolean {
    const { timeoutSeconds, maxAttempts } = this.#scenario.task;
    return this.#executions
      .of(runId, index)
      .some(({ attempt, takesMs }) => attempt === maxAttempts && takesMs >= timeoutSeconds * 1000);
  }

  /** The number of workers that died soon after they had announced to run it. */
  #deaths(runId: string, index: number): number {
    const soon = this.#scenario.task.timeoutSeconds * 1000 + REPORTED_MS;
    const begun = [...this.#wire.run(runId).item(index).begun.values()];
    return begun.filter(({ actor, at }) => (actor.diedAt ?? Number.POSITIVE_INFINITY) - at <= soon)
      .length;
  }

  /**
   * At least once means `maxAttempts` executions each time that the input starts again. It starts
   * again each time a seed sends it, and each time a message with it is redelivered, is repeated
   * by an SDK without a response, or has a result that could not be reported.
   */
  #tooOften(runId: string, index: number): string | undefined {
    const { maxAttempts } = this.#scenario.task;
    const executions = this.#executions.of(runId, index);
    const { lineages } = this.#wire.run(runId).item(index);
    const most = maxAttempts * lineages;
    // An interrupted execution must be repeated as if it had not started.
    const whole = executions.filter(({ worker }) => !worker.stopped).length;
    if (whole > most) {
      return `was executed ${whole} times; it was begun ${lineages} times, which allows ${most}`;
    }
    const attempt = Math.max(0, ...executions.map((execution) => execution.attempt));
    if (attempt <= maxAttempts) return undefined;
    return `had attempt ${attempt}; the task allows ${maxAttempts}`;
  }
}

function mayBeCancelled({ cancelled, plan, disk }: Consumer | StoredConsumer): boolean {
  const failed = disk.results.filter(({ status }) => status === 'failed').length;
  return cancelled || failed > (plan.maxFailures ?? Number.POSITIVE_INFINITY);
}
