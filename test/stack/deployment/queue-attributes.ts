import { GetQueueAttributesCommand, QueueDoesNotExist, type SQSClient } from '@aws-sdk/client-sqs';
import { readStatements, type Statement } from './policies/index.ts';
import type { Place } from './template.ts';

/** The attributes of a queue that decide whether a call may reach it. */
interface Guarded {
  readonly statements: readonly Statement[];
  readonly keyId: string | undefined;
}

const UNGUARDED: Guarded = { statements: [], keyId: undefined };

/**
 * Policies and keys of queues as the queues have them, and not as the template says: a run's queue
 * is made by the seed.
 */
export class QueueAttributes {
  readonly #sqs: SQSClient;
  readonly #place: Place;
  readonly #known = new Map<string, Guarded>();

  constructor(sqs: SQSClient, place: Place) {
    this.#sqs = sqs;
    this.#place = place;
  }

  async of(queueArn: string): Promise<Guarded> {
    const known = this.#known.get(queueArn);
    if (known) return known;
    const { endpoint, accountId } = this.#place;
    const name = queueArn.replace(/.*:/, '');
    try {
      const { Attributes: { Policy, KmsMasterKeyId } = {} } = await this.#sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: `${endpoint}/${accountId}/${name}`,
          AttributeNames: ['Policy', 'KmsMasterKeyId'],
        }),
      );
      const statements = Policy === undefined ? [] : readStatements(JSON.parse(Policy), name);
      const found = { statements, keyId: KmsMasterKeyId };
      this.#known.set(queueArn, found);
      return found;
    } catch (error) {
      if (error instanceof QueueDoesNotExist) return UNGUARDED;
      throw error;
    }
  }
}
