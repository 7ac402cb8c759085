import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { FanfoldError, type FanfoldErrorCode, InputError } from '../../errors.ts';
import type { Refusal } from '../messages/seed-response.ts';

/** One of the deployment's functions ended with an error, or timed out. */
export class FunctionFault extends FanfoldError {
  constructor(functionName: string, why: string) {
    super('RunFailed', `The function ${functionName} failed: ${why}`);
  }
}

/**
 * Invokes one of the deployment's functions and returns its answer.
 *
 * @throws the error that the function refused the request with; `FunctionFault` if it failed
 */
export async function callFunction<Answer extends object>(
  lambda: LambdaClient,
  FunctionName: string,
  request: object,
): Promise<Answer> {
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify(request) }),
  );
  const text = Payload === undefined ? 'null' : Payload.transformToString();
  const answer = JSON.parse(text) as Answer | Refusal | { errorMessage?: string };
  if (FunctionError !== undefined || answer === null) {
    const why = (answer as { errorMessage?: string } | null)?.errorMessage ?? text;
    throw new FunctionFault(FunctionName, why);
  }
  if (!('error' in answer)) return answer as Answer;
  const { code, message, index, reason } = answer.error as Refusal['error'];
  if (index !== undefined && reason !== undefined) throw new InputError(index, reason);
  throw new FanfoldError(code as FanfoldErrorCode, message);
}

/** Starts one of the deployment's functions. Resolves when Lambda has accepted the event. */
export async function startFunction(
  lambda: LambdaClient,
  FunctionName: string,
  event: object,
  abortSignal?: AbortSignal,
): Promise<void> {
  const Payload = JSON.stringify(event);
  const command = new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload });
  await lambda.send(command, abortSignal ? { abortSignal } : {});
}
