import { onceInARow } from '../../auth/once-in-a-row.ts';
import { isObject, parsed } from '../engine/json-value.ts';
import { queryErrorHeader, SqsError, type SqsErrorCode, statusOf } from '../errors.ts';
import type { Parameters } from '../input.ts';
import { checkTypes } from './parameter-types.ts';
import type { Protocol } from './protocol.ts';
import { checkMethod, textOf, withQueueOfPath } from './request.ts';

const TARGET = /^AmazonSQS\.([A-Za-z]+)$/;

/** Clients mostly repeat the same action many times. */
const actionOf = onceInARow((target) => TARGET.exec(target)?.[1]);

/** AWS JSON 1.0, the protocol of the SDKs. */
export const json: Protocol = {
  read(request) {
    checkMethod(request, 'POST');
    const target = request.headers['x-amz-target'] ?? '';
    const action = actionOf(target);
    if (action === undefined) {
      throw new SqsError(
        'UnknownOperation',
        `The header X-Amz-Target must name the action, like AmazonSQS.SendMessage; got "${target}".`,
      );
    }
    const parameters = parse(textOf(request));
    checkTypes(parameters);
    return { action, parameters: withQueueOfPath(action, parameters, request) };
  },
  response: (output, _action, requestId) => ({
    status: 200,
    headers: headers(requestId),
    body: output === undefined ? '' : JSON.stringify(output),
  }),
  error: (error, requestId) => ({
    status: statusOf(error.code),
    // The JavaScript SDK needs it, since it identifies errors by the Query protocol's codes.
    headers: { ...headers(requestId), 'x-amzn-query-error': queryErrorHeader(error.code) },
    body: JSON.stringify({ __type: typeOf(error.code), message: error.message }),
  }),
};

function headers(requestId: string): Record<string, string> {
  return { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': requestId };
}

function parse(text: string): Parameters {
  if (text === '') return {};
  const value = parsed(text);
  if (isObject(value)) return value;
  throw new SqsError('MalformedInput', 'The request body is not a JSON object.');
}

/** Errors outside of SQS's own service model, by their names in AWS's common one. */
const COMMON: Partial<Record<SqsErrorCode, string>> = {
  AccessDenied: 'AccessDeniedException',
  IncompleteSignature: 'IncompleteSignatureException',
  InternalFailure: 'InternalFailure',
  InvalidClientTokenId: 'UnrecognizedClientException',
  InvalidParameterValue: 'InvalidParameterValueException',
  MalformedInput: 'SerializationException',
  MissingParameter: 'MissingRequiredParameterException',
  RequestEntityTooLarge: 'RequestEntityTooLargeException',
  ServiceUnavailable: 'ServiceUnavailable',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  UnknownOperation: 'UnknownOperationException',
};

/** The name of an error's shape in JSON and CBOR. */
export function typeOf(code: SqsErrorCode): string {
  const common = COMMON[code];
  return common ? `com.amazon.coral.service#${common}` : `com.amazonaws.sqs#${code}`;
}
