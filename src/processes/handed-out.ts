import type { Service, ServiceRequest, ServiceResponse } from '../emulator/transport/index.ts';

/** Part of the User-Agent header of an SDK client with a `userAgentAppId`. */
const APP_ID = /\bapp\/([\w-]+)/;

/** Answers with messages that a process was sent. */
interface Handed {
  /** Number of answers that had messages. */
  answers: number;
  /** Makes the messages of the last answer visible. A process has read all answers before that. */
  takeBack: () => void;
}

/**
 * Messages on their way to worker processes. A killed process may have been sent an answer that it
 * never read, and only the SQS knows of it: its messages would stay invisible until their claim
 * ends. So the last answer with messages is remembered, and taken back if the process died without
 * having read it.
 */
export class HandedOut {
  readonly #handed = new Map<string, Handed>();

  /** Wraps the service, for clients whose `userAgentAppId` names their process. */
  watch(service: Service): Service {
    return (request) => {
      const answered = service(request);
      if (answered instanceof Promise)
        return answered.then((answer) => this.#note(request, answer));
      return this.#note(request, answered);
    };
  }

  /** @param read number of answers with messages that the process had read */
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
