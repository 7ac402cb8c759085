import type { ServiceRequest, ServiceResponse } from '../../transport/index.ts';
import type { Output } from '../call.ts';
import type { SqsError } from '../errors.ts';
import type { Parameters } from '../input.ts';

/** What a request asks for. */
export interface ActionRequest {
  action: string;
  parameters: Parameters;
}

/** What of a request decides how its answer is written. */
export type Asked = Pick<ServiceRequest, 'headers'>;

/** How requests and answers are written. What SQS does is the same in all of them. */
export interface Protocol {
  read(request: ServiceRequest): ActionRequest;
  response(output: Output, action: string, requestId: string, request?: Asked): ServiceResponse;
  error(error: SqsError, requestId: string, request?: Asked): ServiceResponse;
}
