import type { Sqs } from '../../emulator/sqs/index.ts';
import type { Service, ServiceRequest } from '../../emulator/transport/index.ts';
import type { Random } from './random.ts';

/**
 * Approximate number of messages below which a standard queue's receives may return too few.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
const SHORT_BELOW = 1_000;

/** Maximum number of messages in a short response. */
const SHORT_MESSAGES = 3;

/** Wraps an SQS to behave like AWS for callers that use JSON: receives may be short. */
export function shortReceives(sqs: Sqs, random: Random): Service {
  const waiting = async (request: ServiceRequest, QueueUrl: string) => {
    const { body } = await sqs.service({
      ...request,
      headers: { ...request.headers, 'x-amz-target': 'AmazonSQS.GetQueueAttributes' },
      body: JSON.stringify({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] }),
    });
    return Number(JSON.parse(String(body)).Attributes?.ApproximateNumberOfMessages ?? 0);
  };
  return async (request) => {
    if (request.headers['x-amz-target'] !== 'AmazonSQS.ReceiveMessage') return sqs.service(request);
    const parameters = JSON.parse(String(request.body));
    if ((await waiting(request, parameters.QueueUrl)) < SHORT_BELOW) {
      const most = random.whole(1, SHORT_MESSAGES);
      parameters.MaxNumberOfMessages = Math.min(parameters.MaxNumberOfMessages, most);
    }
    return sqs.service({ ...request, body: JSON.stringify(parameters) });
  };
}
