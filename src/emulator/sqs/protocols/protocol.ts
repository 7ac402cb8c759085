import type { ServiceRequest, ServiceResponse } from '../../transport/index.ts';
import type { Output } from '../call.ts';
import type { SqsError } from '../errors.ts';
import type { Parameters } from '../input.ts';

/** The action and the parameters of a request. */
export interface ActionRequest {
  action: string;
  parameters: Parameters;
}

/** The part of a request that decides the format of its answer. */
export type Asked = Pick<ServiceRequest, 'headers'>;

/** A format of requests and answers. The actions are the same in all of them. */
export interface Protocol {
  read(request: ServiceRequest): ActionRequest;
  response(output: Output, action: string, requestId: string, request?: Asked): ServiceResponse;
  error(error: SqsError, requestId: string, request?: Asked): ServiceResponse;
}
