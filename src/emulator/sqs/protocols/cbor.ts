import { cbor as format } from '@smithy/core/cbor';
import type { ServiceResponse } from '../../transport/index.ts';
import { isObject } from '../engine/json-value.ts';
import { queryErrorHeader, SqsError, statusOf } from '../errors.ts';
import type { Parameters } from '../input.ts';
import { typeOf } from './json.ts';
import { checkTypes } from './parameter-types.ts';
import type { Protocol } from './protocol.ts';
import { checkMethod } from './request.ts';

const PATH = /\/operation\/([A-Za-z]+)$/;

/**
 * Smithy RPC v2 CBOR, which SDK clients can be configured to use. Fanfold's own clients do: texts
 * are sent as UTF-8 bytes. In JSON, the quotes of a body that is itself JSON are escaped and
 * unescaped at each end, which costs more than everything else that is done to a message.
 * https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
 */
export const cbor: Protocol = {
  read(request) {
    checkMethod(request, 'POST');
    const { path, body } = request;
    const [, action] = PATH.exec(path) ?? [];
    if (action === undefined) {
      throw new SqsError(
        'UnknownOperation',
        `The path of a CBOR request must end with its action, like /service/AmazonSQS/operation/SendMessage; got ${path}.`,
      );
    }
    const parameters = parse(typeof body === 'string' ? Buffer.from(body) : body);
    checkTypes(parameters);
    return { action, parameters };
  },
  response: (output, _action, requestId) => response(200, requestId, {}, output ?? {}),
  error: ({ code, message }, requestId) =>
    response(
      statusOf(code),
      requestId,
      { 'x-amzn-query-error': queryErrorHeader(code) },
      { __type: typeOf(code), message },
    ),
};

function response(
  status: number,
  requestId: string,
  more: Record<string, string>,
  value: object,
): ServiceResponse {
  return {
    status,
    headers: {
      'content-type': 'application/cbor',
      'smithy-protocol': 'rpc-v2-cbor',
      'x-amzn-requestid': requestId,
      ...more,
    },
    body: format.serialize(value),
  };
}

function parse(bytes: Uint8Array): Parameters {
  if (bytes.byteLength === 0) return {};
  try {
    const value: unknown = format.deserialize(bytes);
    if (isObject(value)) return value;
  } catch {
    // Refused below, like any other value that is not a map.
  }
  throw new SqsError('MalformedInput', 'The request body is not a CBOR map.');
}
