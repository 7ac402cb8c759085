// What Lambda's Node runtime does, in a process of its own: loads a bundle, and runs its handler
// for each invocation that the parent process sends.
import { pathToFileURL } from 'node:url';

export interface Invocation {
  event: unknown;
  /** Lambda's context, but for its functions. */
  context: { awsRequestId: string; logStreamName: string };
  remainingMs: number;
}

export interface Answer {
  awsRequestId: string;
  returned?: unknown;
  /** What the handler threw, as text. */
  thrown?: string;
}

const bundle: Promise<{ handler: (event: unknown, context: object) => Promise<unknown> }> = import(
  pathToFileURL(process.argv[2] ?? '').href
);

process.on('message', async ({ event, context, remainingMs }: Invocation) => {
  const endsAt = Date.now() + remainingMs;
  const getRemainingTimeInMillis = () => endsAt - Date.now();
  const { awsRequestId } = context;
  let answer: Answer;
  try {
    const { handler } = await bundle;
    const returned = await handler(event, { ...context, getRemainingTimeInMillis });
    answer = { awsRequestId, returned };
  } catch (error) {
    answer = { awsRequestId, thrown: String(error) };
  }
  process.send?.(answer);
});
