import { codeStorage, concurrency } from './account.ts';
import type { Check } from './finding.ts';
import { eventSource, functions, recursion, reservations } from './functions.ts';
import { deadLetters, lanes, parts, runs, taskQueue, visibility } from './queues.ts';
import { bucket, collector } from './results.ts';
import type { StackSubject } from './subject.ts';
import { tasks, version } from './versions.ts';

/** Checks for a deployed stack. */
export const AFTER: readonly Check<StackSubject>[] = [
  parts,
  functions,
  collector,
  bucket,
  eventSource,
  visibility,
  concurrency,
  reservations,
  recursion,
  version,
  tasks,
  taskQueue,
  lanes,
  deadLetters,
  runs,
  codeStorage,
];
