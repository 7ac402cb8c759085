import type { ServiceRequest } from '../transport/index.ts';

/**
 * Names the attempt of a ReceiveMessage, on standard queues too, which have no
 * `ReceiveRequestAttemptId`. Who got no answer, since the server died or the network did, asks again
 * with the same attempt and gets what was given out, hidden anew: else that would wait for its
 * visibility timeout. Nothing changes for who does not send it, as no AWS client does.
 */
export const RECEIVE_ATTEMPT = 'fanfold-receive-attempt';

export function receiveAttemptOf({ headers }: Pick<ServiceRequest, 'headers'>): string | undefined {
  const id = headers[RECEIVE_ATTEMPT];
  return id !== undefined && /^[\w-]{1,128}$/.test(id) ? id : undefined;
}
