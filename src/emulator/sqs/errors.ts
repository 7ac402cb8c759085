/** SQS's errors by the names that its service model and its documentation give them. */
export type SqsErrorCode =
  | 'AccessDenied'
  | 'BatchEntryIdsNotDistinct'
  | 'BatchRequestTooLong'
  | 'EmptyBatchRequest'
  | 'IncompleteSignature'
  | 'InternalFailure'
  | 'InvalidAddress'
  | 'InvalidAttributeName'
  | 'InvalidAttributeValue'
  | 'InvalidBatchEntryId'
  | 'InvalidClientTokenId'
  | 'InvalidMessageContents'
  | 'InvalidParameterValue'
  | 'KmsAccessDenied'
  | 'MalformedInput'
  | 'MalformedQueryString'
  | 'MissingParameter'
  | 'NoSuchVersion'
  | 'OverLimit'
  | 'PurgeQueueInProgress'
  | 'QueueDeletedRecently'
  | 'QueueDoesNotExist'
  | 'QueueNameExists'
  | 'ReceiptHandleIsInvalid'
  | 'RequestEntityTooLarge'
  | 'RequestThrottled'
  | 'ResourceNotFoundException'
  | 'ServiceUnavailable'
  | 'SignatureDoesNotMatch'
  | 'TooManyEntriesInBatchRequest'
  | 'UnknownOperation'
  | 'UnknownOperationException'
  | 'UnsupportedOperation';

/**
 * SQS's refusal of a request. Its texts are AWS's, word for word where a recording of AWS has them.
 * The protocol decides what it looks like on the wire.
 */
export class SqsError extends Error {
  override readonly name = 'SqsError';
  readonly code: SqsErrorCode;

  constructor(code: SqsErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function invalidParameter(message: string): SqsError {
  return new SqsError('InvalidParameterValue', message);
}

/** A refusal of a parameter's value, in AWS's words. */
export function invalidValue(parameter: string, value: unknown, reason: string): SqsError {
  return invalidParameter(
    `Value ${value} for parameter ${parameter} is invalid. Reason: ${reason}`,
  );
}

export function missingParameter(name: string): SqsError {
  return new SqsError('MissingParameter', `The request must contain the parameter ${name}.`);
}

export function unknownAction(action: string): SqsError {
  return new SqsError('UnknownOperation', `The action ${action} is not valid for this endpoint.`);
}

export function queueDoesNotExist(): SqsError {
  return new SqsError('QueueDoesNotExist', 'The specified queue does not exist.');
}

/** A refusal in the form of an error of a batch entry. */
export function messageOfRefusal({ code, message }: SqsError): { Code: string; Message: string } {
  return { Code: queryCode(code), Message: message };
}

const PREFIX = 'AWS.SimpleQueueService.';

/**
 * Codes of the Query protocol that differ from the error's name. Only these can have the prefix;
 * all other codes equal the name.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
 */
const QUERY_CODES: Partial<Record<SqsErrorCode, string>> = {
  BatchEntryIdsNotDistinct: `${PREFIX}BatchEntryIdsNotDistinct`,
  BatchRequestTooLong: `${PREFIX}BatchRequestTooLong`,
  EmptyBatchRequest: `${PREFIX}EmptyBatchRequest`,
  InvalidBatchEntryId: `${PREFIX}InvalidBatchEntryId`,
  KmsAccessDenied: 'KMS.AccessDeniedException',
  PurgeQueueInProgress: `${PREFIX}PurgeQueueInProgress`,
  QueueDeletedRecently: `${PREFIX}QueueDeletedRecently`,
  QueueDoesNotExist: `${PREFIX}NonExistentQueue`,
  QueueNameExists: 'QueueAlreadyExists',
  TooManyEntriesInBatchRequest: `${PREFIX}TooManyEntriesInBatchRequest`,
  UnknownOperation: 'InvalidAction',
  UnsupportedOperation: `${PREFIX}UnsupportedOperation`,
};

/** An error's code in the Query protocol, which the JSON protocol reports, too. */
export function queryCode(code: SqsErrorCode): string {
  return QUERY_CODES[code] ?? code;
}

const STATUSES: Partial<Record<SqsErrorCode, number>> = {
  AccessDenied: 403,
  InternalFailure: 500,
  InvalidAddress: 404,
  InvalidClientTokenId: 403,
  MalformedQueryString: 404,
  OverLimit: 403,
  PurgeQueueInProgress: 403,
  ReceiptHandleIsInvalid: 404,
  RequestEntityTooLarge: 413,
  RequestThrottled: 403,
  ResourceNotFoundException: 404,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  UnknownOperationException: 404,
};

export function statusOf(code: SqsErrorCode): number {
  return STATUSES[code] ?? 400;
}

/** The side at fault, in the terms of the Query protocol. */
export function sideOf(code: SqsErrorCode): 'Sender' | 'Receiver' {
  return statusOf(code) < 500 ? 'Sender' : 'Receiver';
}

/** The JSON protocol's header with the error's code and side in the Query protocol. */
export function queryErrorHeader(code: SqsErrorCode): string {
  return `${queryCode(code)};${sideOf(code)}`;
}
