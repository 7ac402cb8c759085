import type { Service } from '../../src/emulator/transport/index.ts';
import { failure } from '../../src/emulator/transport/service.ts';
import { currentActor, FATE, never } from './actors.ts';
import type { EventLog } from './event-log.ts';
import type { Faults } from './faults.ts';
import { after } from './pause.ts';

const LATENCY_MS = 40;

/** Most time until a request arrives late, such as that of a collector that was replaced. */
const LATE_MS = 400_000;

/** S3, or the event bus, at its worst: a call may be lost before or after its effect, or be late. */
export class FaultyObjects {
  readonly #service: Service;
  readonly #faults: Faults;
  readonly #log: EventLog;

  constructor(service: Service, faults: Faults, log: EventLog) {
    this.#service = service;
    this.#faults = faults;
    this.#log = log;
  }

  readonly service: Service = async (request) => {
    const actor = currentActor();
    if (actor.dead) return never();
    const response = await FATE.run(async () => {
      const faults = this.#faults;
      await after(faults.random.whole(1, LATENCY_MS));
      if (faults.hits('lostRequest')) return failure(500, 'InternalError', 'It was lost.');
      if (faults.hits('throttling')) return failure(503, 'SlowDown', 'Reduce your rate.');
      if (faults.hits('killCollector')) {
        actor.kill(`before ${request.method} ${request.path}`);
        return never();
      }
      // Clients of large inputs and outputs have a time limit, and ask again.
      const mayBeLate = !request.path.includes('/payloads/');
      if (mayBeLate && faults.hits('lateDelivery')) await after(faults.random.whole(0, LATE_MS));
      const answer = await this.#service(request);
      this.#log.note(`${actor.name}: ${request.method} ${request.path}: ${answer.status}`);
      if (faults.hits('killCollector')) actor.kill(`after ${request.method} ${request.path}`);
      if (faults.hits('lostAnswer')) return failure(500, 'InternalError', 'The answer was lost.');
      return answer;
    });
    return actor.dead ? never() : response;
  };
}
