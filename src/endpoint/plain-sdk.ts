import { AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import { unsigned } from '../emulator/transport/unsigned.ts';

/**
 * What SQS clients are set to that talk to an SQS of the same Fanfold, in this process or on
 * loopback: nothing is signed, since nobody asks for it, and no digests are compared, since
 * nothing alters what is sent. Each would read every byte once more. And they speak CBOR, in which
 * a message's JSON text travels as it is, without a backslash before each of its quotes.
 */
export const PLAIN_SQS = {
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  signer: unsigned,
  md5: false as const,
  protocol: AwsSmithyRpcV2CborProtocol,
  // Nobody adds middleware to them: it need not be put together again for each call.
  cacheMiddleware: true,
  // Queue URLs may name the address by which another process knows this SQS.
  useQueueUrlAsEndpoint: false,
};
