/** A run's inputs on their way to SQS, as their run sees it. */
export interface InputSource {
  /** The run's result queue; undefined when there are no inputs. */
  readonly queueUrl: Promise<string | undefined>;
  /** Ends when all inputs are seeded, or `stop` was called; fails as the source or a page does. */
  readonly done: Promise<void>;
  /** How many inputs the run has in all, where that is known. */
  readonly total: number | undefined;
  /** Inputs that the run will have in all, as far as that is known. */
  readonly known: number;
  /** How many inputs, from the first, are with SQS for certain, or have their result. */
  readonly seeded: number;
  /** Whether they are seeded from here. Else somebody else alone knows how many there are. */
  readonly isOurs: boolean;
  /** Finds out soon whether all inputs are seeded: there is a sign of it. */
  look(): void;
  /** Seeds nothing more. */
  stop(): void;
}
