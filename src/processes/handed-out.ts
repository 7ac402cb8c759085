import type { Service, ServiceRequest, ServiceResponse } from '../emulator/transport/index.ts';

/** What an SDK client says of itself when it has a `userAgentAppId`. */
const APP_ID = /\bapp\/([\w-]+)/;

/** What a process was handed. */
interface Handed {
  /** How many answers had messages. */
  answers: number;
  /** Takes back what the last of them handed out. It asks for more when it has read the one before. */
  takeBack: () => void;
}

/**
 * Messages on their way to worker processes. A process that is killed may have been handed one that
 * it never read, of which only the SQS knows: for two minutes, nobody else would get it. So the last
 * answer with messages is kept, and is taken back when the process dies and had not read it.
 */
export class HandedOut {
  readonly #handed = new Map<string, Handed>();

  /** The service, for clients whose `userAgentAppId` names their process. */
  watch(service: Service): Service {
    return (request) => {
      const answered = service(request);
      if (answered instanceof Promise)
        return answered.then((answer) => this.#note(request, answer));
      return this.#note(request, answered);
    };
  }

  /** @param read how many answers with messages the process had read */
  died(process: string, read: number): void {
    const handed = this.#handed.get(process);
    if (handed && handed.answers > read) handed.takeBack();
    this.#handed.delete(process);
  }

  #note({ headers }: ServiceRequest, answer: ServiceResponse): ServiceResponse {
    if (answer.undelivered === undefined) return answer;
    const [, process] = APP_ID.exec(headers['user-agent'] ?? '') ?? [];
    if (process === undefined) return answer;
    const { answers = 0 } = this.#handed.get(process) ?? {};
    this.#handed.set(process, { answers: answers + 1, takeBack: answer.undelivered });
    return answer;
  }
}
