import type { Looks } from './aws.ts';
import type { TasksHere } from './machine.ts';

/** The account and region that a stack is in, or is to be deployed to. */
export interface AccountSubject {
  looks: Looks;
  region: string;
  /** Workers at once for which the account must have room. */
  workers(): Promise<number>;
}

/** A stack that is deployed. */
export interface StackSubject extends AccountSubject {
  /** Undefined where no tasks module is named. */
  here: TasksHere | undefined;
}
