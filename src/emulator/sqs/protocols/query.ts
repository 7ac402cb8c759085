import type { ServiceRequest, ServiceResponse } from '../../transport/index.ts';
import { queryCode, SqsError, type SqsErrorCode, sideOf, statusOf } from '../errors.ts';
import type { Asked, Protocol } from './protocol.ts';
import { Fields } from './query-input.ts';
import { jsonResultOf } from './query-json.ts';
import { resultOf } from './query-output.ts';
import { checkMethod, textOf, withQueueOfPath } from './request.ts';
import { element, escaped } from './xml.ts';

const VERSION = '2012-11-05';
const NAMESPACE = `http://queue.amazonaws.com/doc/${VERSION}/`;

/**
 * AWS Query: form fields in, XML out. It is used by SDKs from before 2024, and by hand, since the
 * fields can also be in a URL's query.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export const query: Protocol = {
  read(request) {
    checkMethod(request, 'GET', 'POST');
    const fields = fieldsOf(request);
    const action = fields.text('Action');
    if (!action) {
      const message = 'The request must contain the parameter Action.';
      throw new SqsError('UnknownOperationException', message);
    }
    const version = fields.text('Version') ?? VERSION;
    if (version !== VERSION) {
      throw new SqsError('NoSuchVersion', `The requested version ( ${version} ) is not valid.`);
    }
    return { action, parameters: withQueueOfPath(action, fields.parameters(action), request) };
  },
  response(output, action, requestId, request) {
    if (wantsJson(request)) {
      const result = output && { [`${action}Result`]: jsonResultOf(output) };
      const metadata = { ResponseMetadata: { RequestId: requestId } };
      return jsonResponse(200, requestId, { [`${action}Response`]: { ...result, ...metadata } });
    }
    const result = output === undefined ? '' : element(`${action}Result`, resultOf(output, action));
    const metadata = element('ResponseMetadata', element('RequestId', requestId));
    return response(200, requestId, `${action}Response`, result + metadata);
  },
  error({ code, message }, requestId, request) {
    // As recorded from AWS, whatever format the client asks for.
    if (code === 'UnknownOperationException') return unknownOperation(requestId);
    if (wantsJson(request)) {
      const error = {
        Type: sideOf(code),
        Code: queryCode(code),
        Message: messageOf(code, message),
      };
      return jsonResponse(statusOf(code), requestId, { Error: error, RequestId: requestId });
    }
    const error =
      element('Type', sideOf(code)) +
      element('Code', queryCode(code)) +
      element('Message', escaped(messageOf(code, message))) +
      element('Detail', '');
    const content = element('Error', error) + element('RequestId', requestId);
    return response(statusOf(code), requestId, 'ErrorResponse', content);
  },
};

function response(
  status: number,
  requestId: string,
  root: string,
  content: string,
): ServiceResponse {
  return {
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: `<?xml version="1.0"?><${root} xmlns="${NAMESPACE}">${content}</${root}>`,
  };
}

function wantsJson(request: Asked | undefined): boolean {
  return request?.headers.accept?.includes('application/json') ?? false;
}

function jsonResponse(status: number, requestId: string, content: object): ServiceResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId },
    body: JSON.stringify(content),
  };
}

function unknownOperation(requestId: string): ServiceResponse {
  return {
    status: 404,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: '<UnknownOperationException/>\n',
  };
}

/** The only message that differs by protocol. */
function messageOf(code: SqsErrorCode, message: string): string {
  if (code !== 'QueueDoesNotExist') return message;
  return 'The specified queue does not exist for this wsdl version.';
}

/** The fields of the URL and of a form. The URL's come first, since the first of two counts. */
function fieldsOf(request: ServiceRequest): Fields {
  const fields = new Fields();
  for (const [name, value] of request.query) fields.add(name, value);
  if (!isForm(request)) return fields;
  for (const field of textOf(request).split('&')) {
    if (field === '') continue;
    const at = field.indexOf('=');
    if (at < 0) fields.add(decoded(field), '');
    else fields.add(decoded(field.slice(0, at)), decoded(field.slice(at + 1)));
  }
  return fields;
}

function isForm({ method, headers }: ServiceRequest): boolean {
  const type = headers['content-type'] ?? '';
  return method === 'POST' && (type === '' || type.startsWith('application/x-www-form-urlencoded'));
}

/** Not by URLSearchParams, which alters broken escapes and broken UTF-8 without an error. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new SqsError('MalformedQueryString', 'The form is not valid percent-encoded UTF-8.');
  }
}
