import type { Service } from '../../src/emulator/transport/index.ts';
import { failure } from '../../src/emulator/transport/service.ts';
import { AWS, currentActor, FATE, never } from './actors.ts';
import type { EventLog } from './event-log.ts';
import type { Faults } from './faults.ts';
import { after } from './pause.ts';

const LATENCY_MS = 40;

/** Longest time until a seed is invoked once more, in milliseconds. */
const AGAIN_MS = 900_000;

/** Lambda at its worst: it may run an invocation twice. */
export class FaultyLambda {
  calls = 0;
  readonly #lambda: Service;
  readonly #faults: Faults;
  readonly #log: EventLog;

  constructor(lambda: Service, faults: Faults, log: EventLog) {
    this.#lambda = lambda;
    this.#faults = faults;
    this.#log = log;
  }

  readonly service: Service = async (request) => {
    const actor = currentActor();
    this.calls++;
    if (actor.dead) return never();
    const response = await FATE.run(() => this.#answer(request));
    return actor.dead ? never() : response;
  };

  readonly #answer: Service = async (request) => {
    const faults = this.#faults;
    await after(faults.random.whole(1, LATENCY_MS));
    if (faults.hits('lostRequest')) return failure(500, 'ServiceException', 'It was lost.');
    if (faults.hits('throttling'))
      return failure(429, 'TooManyRequestsException', 'Rate Exceeded.');
    if (faults.hits('seedTwice')) {
      void after(faults.random.whole(0, AGAIN_MS)).then(() => {
        this.#log.note('a seed is invoked again');
        const { signal } = new AbortController();
        return AWS.run(() => this.#lambda({ ...request, signal }));
      });
    }
    const response = await AWS.run(() => this.#lambda(request));
    this.#log.note(`Invoke: ${response.status}`);
    await after(faults.random.whole(1, LATENCY_MS));
    if (faults.hits('lostAnswer')) return failure(500, 'ServiceException', 'The answer was lost.');
    return response;
  };
}
