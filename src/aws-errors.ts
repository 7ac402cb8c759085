import { messageOf } from './errors.ts';
import type { Extensible } from './middleware.ts';
import { isDenied } from './pipeline/call-errors.ts';
import { namesOf } from './pipeline/names.ts';

/** Outermost: calls that lack a region or credentials fail early. */
const OUTERMOST = { step: 'initialize', priority: 'high', name: 'fanfoldExplaining' } as const;

/**
 * Makes the errors of an AWS client say what to do. They stay the same otherwise.
 *
 * @param stack the deployment that the client is for
 */
export function explaining<C extends Extensible<typeof OUTERMOST>>(client: C, stack: string): C {
  client.middlewareStack.add(
    (next) => (call) =>
      next(call).catch((error: unknown) => {
        const sentence = error instanceof Error ? sentenceOf(error, stack) : undefined;
        if (sentence !== undefined) Object.assign(error as Error, { message: sentence });
        throw error;
      }),
    OUTERMOST,
  );
  return client;
}

const EXPIRED = /^(ExpiredToken|ExpiredTokenException|RequestExpired|TokenRefreshRequired)$/;
const UNKNOWN_KEY =
  /^(InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature|MissingAuthenticationTokenException)$/;

/** A better message for an error; undefined if its own says enough. */
function sentenceOf(error: Error, stack: string): string | undefined {
  const { name } = error;
  // A refused signature explains over many lines how it should have been made.
  const [message = ''] = messageOf(error).split('\n');
  if (message === 'Region is missing') {
    return 'No AWS region is configured: set AWS_REGION to the region of the stack, or AWS_PROFILE to a profile that has a region.';
  }
  if (name === 'CredentialsProviderError') {
    return `There are no AWS credentials (${message}): set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, as for the AWS CLI.`;
  }
  if (EXPIRED.test(name)) {
    return `The AWS credentials have expired (${message}): renew them, for example with aws sso login.`;
  }
  if (UNKNOWN_KEY.test(name)) {
    return `AWS refuses the credentials (${message}): set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, to credentials of the account that the stack is in.`;
  }
  if (isDenied(error)) {
    const { operator, work } = namesOf(stack);
    return `AWS denies access (${message}): attach the stack's managed policy ${operator}-REGION to run and collect, and ${work}-REGION to work and redrive.`;
  }
  const { code, hostname } = error as NodeJS.ErrnoException & { hostname?: string };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `AWS cannot be reached: the name ${hostname} has no address. Check the network, and the region.`;
  }
  if (!isUnreached(error)) return undefined;
  const { $response, $metadata } = error as Answered;
  const status = $response?.statusCode ?? $metadata?.httpStatusCode;
  return status === undefined
    ? `AWS cannot be reached (${message}). Check the network, the proxy, and AWS_ENDPOINT_URL if it is set.`
    : `The response is not from AWS (HTTP status ${status}). Check AWS_ENDPOINT_URL if it is set, and any proxy that may have responded instead.`;
}

interface Answered {
  $response?: { statusCode?: number };
  $metadata?: { httpStatusCode?: number };
}

/** True if AWS was not reached: there was no answer, or one that the SDK can't read. */
export function isUnreached(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code = '' } = error as NodeJS.ErrnoException;
  if (/^E[A-Z_]+$/.test(code) || code === 'ERR_INVALID_URL') return true;
  return /^(TimeoutError|SyntaxError|Unknown|UnknownError)$/.test(error.name);
}
