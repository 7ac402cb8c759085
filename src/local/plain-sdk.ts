import { AwsJson1_0Protocol, JsonCodec } from '@aws-sdk/core/protocols';
import { unsigned } from './transport/unsigned.ts';

/**
 * The protocol of SQS clients, with the SDK's codec that stands on `JSON.stringify`. Its default
 * writes JSON a character at a time in JavaScript, which takes twice as long for a message of
 * 100 KB as everything else that the client does.
 */
class NativeJson extends AwsJson1_0Protocol {
  constructor(settings: ConstructorParameters<typeof AwsJson1_0Protocol>[0]) {
    const seconds = 7 as const;
    super({
      ...settings,
      jsonCodec: new JsonCodec({
        timestampFormat: { useTrait: true, default: seconds },
        jsonName: false,
      }),
    });
  }
}

/**
 * What SQS clients are set to that talk to an SQS of the same Fanfold, in this process or on
 * loopback: nothing is signed, since nobody asks for it, and no digests are compared, since
 * nothing alters what is sent. Each would read every byte once more.
 */
export const PLAIN_SQS = {
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  signer: unsigned,
  md5: false as const,
  protocol: NativeJson,
  // Nobody adds middleware to them: it need not be put together again for each call.
  cacheMiddleware: true,
  // Queue URLs may name the address by which another process knows this SQS.
  useQueueUrlAsEndpoint: false,
};
