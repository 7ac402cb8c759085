import type { ServiceResponse } from '../transport/index.ts';

/** Lambda's refusal of a request. */
export class LambdaError extends Error {
  override readonly name = 'LambdaError';
  readonly status: number;
  /** The exception's name in Lambda's service model. */
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

export function errorResponse(error: LambdaError, requestId: string): ServiceResponse {
  return {
    status: error.status,
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': requestId,
      'x-amzn-errortype': error.type,
    },
    body: JSON.stringify({ Type: 'User', Message: error.message, message: error.message }),
  };
}
