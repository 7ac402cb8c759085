import type { AwsReader } from './aws.ts';
import type { TasksHere } from './machine.ts';

/** The account and region that a stack is or will be deployed to. */
export interface AccountSubject {
  reader: AwsReader;
  region: string;
  /** Number of concurrent workers that the account must have room for. */
  workers(): Promise<number>;
}

/** A deployed stack. */
export interface StackSubject extends AccountSubject {
  /** The tasks on this machine; undefined if no tasks module is named. */
  here: TasksHere | undefined;
}
