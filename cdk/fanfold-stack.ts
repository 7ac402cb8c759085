import { type Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { Fanfold } from './fanfold.ts';
import { FanfoldMonitoring } from './monitoring.ts';
import type { BucketPrefix, FanfoldProps } from './props.ts';

/** Props of a `FanfoldStack`: those of the stack and of its `Fanfold`, and these. */
export interface FanfoldStackProps extends StackProps, FanfoldProps {
  /** Same as in `MonitoringProps`. @default 6 hours */
  readonly maxTaskAge?: Duration;
  /**
   * Names of further buckets that the seed may read inputs from, or a name, a slash and a prefix:
   * `photos/inputs/`.
   * @default none
   */
  readonly inputBucketNames?: readonly string[];
  /** Name of a bucket, instead of `bucket`. @default none */
  readonly bucketName?: string;
  /**
   * Names of further buckets that results may be written to, or a name, a slash and a prefix.
   * @default none
   */
  readonly resultPlaceNames?: readonly string[];
  /** ARN of a topic, instead of `alarmTopic`. @default none */
  readonly alarmTopicArn?: string;
  /** ARN of a key, instead of `encryptionKey`. @default none */
  readonly encryptionKeyArn?: string;
}

/** A stack of one Fanfold deployment and its monitoring, with outputs that name its parts. */
export class FanfoldStack extends Stack {
  /** The deployment. */
  readonly fanfold: Fanfold;
  /** Its alarms and dashboard; undefined if `monitoring` is false. */
  readonly monitoring: FanfoldMonitoring | undefined;

  constructor(scope: Construct, id: string, props: FanfoldStackProps = {}) {
    super(scope, id, props);
    const { alarmTopic = this.#topic(props), encryptionKey = this.#key(props) } = props;
    const { maxTaskAge, inputBuckets = [], inputBucketNames = [] } = props;
    const { bucket = this.#bucket(props), resultPlaces = [], resultPlaceNames = [] } = props;
    const { alarmTopic: _, ...others } = props;
    this.fanfold = new Fanfold(this, 'Fanfold', {
      ...others,
      ...(encryptionKey ? { encryptionKey } : {}),
      ...(bucket ? { bucket } : {}),
      inputBuckets: [...inputBuckets, ...this.#named('Input', inputBucketNames)],
      resultPlaces: [...resultPlaces, ...this.#named('Result', resultPlaceNames)],
      // The stack holds them itself, by names without the construct's.
      monitoring: false,
    });
    if (props.monitoring === false) return;
    this.fanfold.output(this);
    this.monitoring = new FanfoldMonitoring(this, 'Monitoring', {
      fanfold: this.fanfold,
      ...(alarmTopic ? { alarmTopic } : {}),
      ...(maxTaskAge ? { maxTaskAge } : {}),
    });
  }

  #named(id: string, places: readonly string[]): (IBucket | BucketPrefix)[] {
    const buckets = new Map<string, IBucket>();
    return [...new Set(places)].map((place) => {
      const [, name = '', prefix = ''] = /^([^/]*)\/?(.*)$/s.exec(place) ?? [];
      const bucket = buckets.get(name) ?? Bucket.fromBucketName(this, `${id}-${name}`, name);
      buckets.set(name, bucket);
      return prefix === '' ? bucket : { bucket, prefix };
    });
  }

  #bucket({ bucketName: name }: FanfoldStackProps): IBucket | undefined {
    return name === undefined ? undefined : Bucket.fromBucketName(this, 'Bucket', name);
  }

  #topic({ alarmTopicArn: arn }: FanfoldStackProps): ITopic | undefined {
    return arn === undefined ? undefined : Topic.fromTopicArn(this, 'AlarmTopic', arn);
  }

  #key({ encryptionKeyArn: arn }: FanfoldStackProps): IKey | undefined {
    return arn === undefined ? undefined : Key.fromKeyArn(this, 'EncryptionKey', arn);
  }
}
