import { AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import { unsigned } from '../emulator/transport/sdk-client.ts';

/**
 * Settings for clients of an SQS of the same Fanfold, in this process or on loopback. Requests are
 * not signed, since no signature is required. Digests are not compared, since nothing alters the
 * data. Each would read every byte once more. The protocol is CBOR, which transports a message's
 * JSON text as it is, without a backslash before each quote.
 */
export const PLAIN_SQS = {
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  signer: unsigned,
  md5: false as const,
  protocol: AwsSmithyRpcV2CborProtocol,
  // Their middleware doesn't change, so it need not be composed again for each call.
  cacheMiddleware: true,
  // Queue URLs may contain the address that other processes use for this SQS.
  useQueueUrlAsEndpoint: false,
};
