import type { Deployment } from '../run/deployment.ts';
import type { RunLedger } from '../run/ledger.ts';
import { Presence } from '../run/presence.ts';
import { Deadline } from './deadline.ts';
import { Gone } from './gone.ts';

export interface AttendanceOptions {
  ledger: RunLedger;
  /** Who takes the results. @default a name of its own */
  collector?: string | undefined;
  /** When the run ends, in milliseconds since 1970. */
  expiresAt: number;
  /** Whether the run may have had another collector. */
  afterAnother: boolean;
  /** Told when what has come by the deadline is taken. */
  onDeadline: () => void;
  /** Told when nothing more comes, with how many results others have taken, as far as they said so. */
  onGone: (others: number) => void;
}

/** What goes on beside the taking of a run's results: it is said, and it does not go on in vain. */
export class Attendance {
  readonly #presence: Presence;
  readonly #deadline: Deadline;
  readonly #gone: Gone | undefined;

  private constructor(presence: Presence, deadline: Deadline, gone: Gone | undefined) {
    this.#presence = presence;
    this.#deadline = deadline;
    this.#gone = gone;
  }

  /** Call it before any result is taken. */
  static async begin(
    deployment: Deployment,
    queueUrl: string,
    options: AttendanceOptions,
  ): Promise<Attendance> {
    const { ledger, expiresAt, afterAnother, onDeadline, onGone } = options;
    const { collector = crypto.randomUUID() } = options;
    const presence = new Presence(deployment.sqs, queueUrl, collector, ledger);
    const others = afterAnother ? await presence.others() : undefined;
    presence.arrive();
    const deadline = new Deadline(deployment.sqs, expiresAt, afterAnother, onDeadline);
    if (others === undefined) return new Attendance(presence, deadline, undefined);
    const watched = { deployment, queueUrl, ledger, deadline, expiresAt };
    return new Attendance(
      presence,
      deadline,
      new Gone({ ...watched, onGone: () => onGone(others) }),
    );
  }

  /** Results came, and their consumer is at them. */
  hold(): void {
    this.#deadline.hold();
  }

  /**
   * Their consumer has taken them.
   *
   * @param all whether none that came before waits for its turn
   */
  release(all: boolean): void {
    if (all) this.#presence.took();
    this.#deadline.release();
  }

  /** Nothing more is to come. */
  close(): void {
    this.#deadline.end();
    this.#gone?.end();
  }

  /** @param isOver whether the run is; else it goes on without us */
  async end(isOver: boolean): Promise<void> {
    if (isOver) this.#presence.end();
    else await this.#presence.leave();
  }
}
