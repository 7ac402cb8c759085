import type { ServiceRequest } from '../transport/index.ts';

/**
 * Header that names the attempt of a ReceiveMessage, also on standard queues, which have no
 * `ReceiveRequestAttemptId`. A client that got no answer, because the server crashed or the network
 * failed, repeats the request with the same id. It then receives the same messages, hidden anew;
 * otherwise they would stay invisible until their visibility timeout ends. Nothing changes for
 * clients without the header, such as all AWS clients.
 */
export const RECEIVE_ATTEMPT = 'fanfold-receive-attempt';

export function receiveAttemptOf({ headers }: Pick<ServiceRequest, 'headers'>): string | undefined {
  const id = headers[RECEIVE_ATTEMPT];
  return id !== undefined && /^[\w-]{1,128}$/.test(id) ? id : undefined;
}
