import { createHmac, hash } from 'node:crypto';

export const CREDENTIALS = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'secret-of-the-bench' };

const REGION = 'us-east-1';
const SIGNED_HEADERS = 'content-type;host;x-amz-date;x-amz-target';

/**
 * Makes complete HTTP requests of the JSON protocol, ready to write to a socket, signed with
 * Signature Version 4 in the `Authorization` header.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * @param host host and port, as in the `Host` header
 */
export function requestSigner(host: string): (action: string, parameters: object) => Buffer {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${REGION}/sqs/aws4_request`;
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${CREDENTIALS.secretAccessKey}`);
  return (action, parameters) => {
    const body = JSON.stringify(parameters);
    const headers = [
      'content-type:application/x-amz-json-1.0',
      `host:${host}`,
      `x-amz-date:${time}`,
      `x-amz-target:AmazonSQS.${action}`,
    ].join('\n');
    const canonical = `POST\n/\n\n${headers}\n\n${SIGNED_HEADERS}\n${hash('sha256', body)}`;
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonical)}`;
    const signature = hmac(key, text).toString('hex');
    const authorization = `AWS4-HMAC-SHA256 Credential=${CREDENTIALS.accessKeyId}/${scope}, SignedHeaders=${SIGNED_HEADERS}, Signature=${signature}`;
    const head = [
      'POST / HTTP/1.1',
      ...headers.split('\n'),
      `authorization:${authorization}`,
      `content-length:${Buffer.byteLength(body)}`,
    ].join('\r\n');
    return Buffer.from(`${head}\r\n\r\n${body}`);
  };
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
