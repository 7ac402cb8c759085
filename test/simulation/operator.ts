import { flowOf, replacing } from '../../src/pipeline/messages/flow.ts';
import type { Deployment } from '../../src/pipeline/run/deployment.ts';
import { findQueue } from '../../src/pipeline/run/queues.ts';
import { type RunTags, readTags, writeTags } from '../../src/pipeline/run/tags.ts';
import { Actor, trueNow } from './actors.ts';
import type { Consumer } from './consumer.ts';
import type { EventLog } from './event-log.ts';
import { after } from './pause.ts';
import type { Change, Scenario } from './scenario.ts';

/** Pause before a change is tried again, in milliseconds. */
const AGAIN_MS = 5_000;

export interface OperatorOptions {
  scenario: Scenario;
  deployment: () => Deployment;
  log: EventLog;
}

/** Someone who changes the bounds of a consumer's run while it goes on, and pauses it. */
export class Operator {
  readonly #consumer: Consumer;
  readonly #options: OperatorOptions;

  constructor(consumer: Consumer, options: OperatorOptions) {
    this.#consumer = consumer;
    this.#options = options;
  }

  start(): void {
    const { flow, startsAfterSeconds } = this.#consumer.plan;
    for (const change of flow?.changes ?? []) {
      const actor = new Actor(`${this.#consumer.name} operator`, 'operator');
      void after((startsAfterSeconds + change.afterSeconds) * 1000).then(() =>
        actor.run(() => this.#change(change)),
      );
    }
  }

  async #change(change: Change): Promise<void> {
    const { scenario, log } = this.#options;
    const { lambdaWorkers, pullWorkers, task } = scenario;
    if ('set' in change) {
      const next = flowOf(change.set, lambdaWorkers + pullWorkers, task.concurrency);
      const changed = ({ flow }: RunTags) => ({ flow: replacing(flow, next, trueNow()) });
      if (await this.#write(changed, 'bounds set')) log.mark('run changed');
      return;
    }
    const paused = await this.#write(() => ({ pausedAt: Date.now() }), 'paused');
    if (!paused) return;
    log.mark('run paused');
    await after(change.pausedForSeconds * 1000);
    await this.#write(() => ({ pausedAt: 0 }), 'unpaused', paused);
  }

  /** Tags the queue of a run that goes on. Returns the run's id, or undefined if it is over. */
  async #write(
    changed: (before: RunTags) => RunTags,
    what: string,
    runId = this.#consumer.runIds.at(-1),
  ): Promise<string | undefined> {
    const { deployment, log } = this.#options;
    while (!this.#consumer.ended) {
      try {
        const { sqs, names } = deployment();
        const url = runId && (await findQueue(sqs, names.run(runId)));
        if (runId && url) {
          const tags = changed(await readTags(sqs, url));
          await writeTags(sqs, url, tags);
          log.note(`run ${runId.slice(-8)}: ${what} ${JSON.stringify(tags)}`);
          return runId;
        }
      } catch (error) {
        log.note(`operator: ${error}`);
      }
      await after(AGAIN_MS);
      // A pause ends with the run that was paused.
      if (what === 'unpaused' && runId !== this.#consumer.runIds.at(-1)) return undefined;
      runId = this.#consumer.runIds.at(-1);
    }
    return undefined;
  }
}
