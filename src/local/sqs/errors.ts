/** SQS's errors by the names that its service model and its documentation give them. */
export type SqsErrorCode =
  | 'BatchEntryIdsNotDistinct'
  | 'BatchRequestTooLong'
  | 'EmptyBatchRequest'
  | 'InvalidAddress'
  | 'InvalidAttributeName'
  | 'InvalidAttributeValue'
  | 'InvalidBatchEntryId'
  | 'InvalidMessageContents'
  | 'InvalidParameterValue'
  | 'MalformedInput'
  | 'MissingParameter'
  | 'OverLimit'
  | 'PurgeQueueInProgress'
  | 'QueueDeletedRecently'
  | 'QueueDoesNotExist'
  | 'QueueNameExists'
  | 'ReceiptHandleIsInvalid'
  | 'TooManyEntriesInBatchRequest'
  | 'UnknownOperation'
  | 'UnsupportedOperation';

/**
 * What SQS answers to a request that it refuses. Its texts are AWS's, word for word where a
 * recording of AWS has them; what it looks like on the wire is decided by the protocol.
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

/** AWS's form for a value that a parameter can't have. */
export function invalidValue(parameter: string, value: unknown, reason: string): SqsError {
  return invalidParameter(`Value ${value} for parameter ${parameter} is invalid. Reason: ${reason}`);
}

export function missingParameter(name: string): SqsError {
  return new SqsError('MissingParameter', `The request must contain the parameter ${name}.`);
}

export function queueDoesNotExist(): SqsError {
  return new SqsError('QueueDoesNotExist', 'The specified queue does not exist.');
}
