import type { Service, ServiceRequest, ServiceResponse } from '../transport.ts';

/** What an SDK client says of itself when it has a `userAgentAppId`. */
const APP_ID = /\bapp\/([\w-]+)/;

/**
 * Messages on their way to worker processes. A process that is killed may have been handed one that
 * it never read, of which only the SQS knows: for two minutes, nobody else would get it. So each
 * answer with messages is kept until its process says that it has them, and is taken back when the
 * process dies instead.
 */
export class HandedOut {
  /** By process, in the order of the answers, which is the order in which it says so. */
  readonly #answers = new Map<string, (() => void)[]>();

  /** The service, for clients whose `userAgentAppId` names their process. */
  watch(service: Service): Service {
    return (request) => {
      const answered = service(request);
      if (answered instanceof Promise)
        return answered.then((answer) => this.#note(request, answer));
      return this.#note(request, answered);
    };
  }

  /** A process has what the first answer that was kept handed out to it. */
  taken(process: string): void {
    this.#answers.get(process)?.shift();
  }

  died(process: string): void {
    for (const takeBack of this.#answers.get(process) ?? []) takeBack();
    this.#answers.delete(process);
  }

  #note({ headers }: ServiceRequest, answer: ServiceResponse): ServiceResponse {
    if (answer.undelivered === undefined) return answer;
    const [, process] = APP_ID.exec(headers['user-agent'] ?? '') ?? [];
    if (process === undefined) return answer;
    const kept = this.#answers.get(process) ?? [];
    this.#answers.set(process, kept);
    kept.push(answer.undelivered);
    return answer;
  }
}
