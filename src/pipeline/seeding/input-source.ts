/** A run's inputs on their way to SQS, as the run sees them. */
export interface InputSource {
  /** The run's result queue; undefined when there are no inputs. */
  readonly queueUrl: Promise<string | undefined>;
  /**
   * Resolves when all inputs are seeded or `stop` was called; rejects if the source or a page
   * fails.
   */
  readonly done: Promise<void>;
  /** Total number of inputs, if known. */
  readonly total: number | undefined;
  /** Number of inputs that the run is known to have. */
  readonly known: number;
  /** Number of inputs, from the first, that are certain to be in SQS or have a result. */
  readonly seeded: number;
  /**
   * Index from which no input was sent to SQS, so that none of them can have started; Infinity if
   * another process may have sent them.
   */
  readonly unsent: number;
  /** Whether this process seeds the inputs. If not, only another process knows their number. */
  readonly isOurs: boolean;
  /** Checks soon whether all inputs are seeded, after a sign that they are. */
  checkSoon(): void;
  /** Stops seeding. */
  stop(): void;
}
