import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { Lambda } from '../../../src/emulator/lambda/index.ts';
import { inProcess, unsigned } from '../../../src/emulator/transport/index.ts';

const credentials = { accessKeyId: 'KEY', secretAccessKey: 'secret' };

describe('a Lambda that verifies signatures', () => {
  const lambda = new Lambda();
  lambda.addFunction('echo', async (event) => event);
  const requestHandler = inProcess(lambda.signedService([credentials]));
  const place = { region: 'us-east-1', endpoint: 'http://localhost', requestHandler };

  /** The outcome of an invocation: its response, or the name of its error. */
  async function invoke(more: object, FunctionName = 'echo'): Promise<string> {
    const client = new LambdaClient({ ...place, credentials, ...more });
    const call = new InvokeCommand({ FunctionName, Payload: '"hello"' });
    try {
      return (await client.send(call)).Payload?.transformToString() ?? '';
    } catch (error) {
      return (error as Error).name;
    }
  }

  it('accepts requests signed with the secret, by name and by ARN', async () => {
    expect(await invoke({})).toBe('"hello"');
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:echo';
    expect(await invoke({}, arn)).toBe('"hello"');
  });

  it.each([
    [{ ...credentials, secretAccessKey: 'other' }, 'InvalidSignatureException'],
    [{ ...credentials, accessKeyId: 'OTHER' }, 'UnrecognizedClientException'],
  ])('refuses %j as %s', async (other, name) => {
    expect(await invoke({ credentials: other })).toBe(name);
  });

  it('refuses unsigned requests, and those signed for another region', async () => {
    expect(await invoke({ signer: unsigned })).toBe('MissingAuthenticationTokenException');
    expect(await invoke({ region: 'eu-west-1' })).toBe('InvalidSignatureException');
  });
});
