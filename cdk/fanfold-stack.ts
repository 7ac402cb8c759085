import { type Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { Fanfold } from './fanfold.ts';
import { FanfoldMonitoring } from './monitoring.ts';
import type { FanfoldProps, InputPrefix } from './props.ts';

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
    const { alarmTopic: _, ...others } = props;
    this.fanfold = new Fanfold(this, 'Fanfold', {
      ...others,
      ...(encryptionKey ? { encryptionKey } : {}),
      inputBuckets: [...inputBuckets, ...this.#named(inputBucketNames)],
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

  #named(places: readonly string[]): (IBucket | InputPrefix)[] {
    const buckets = new Map<string, IBucket>();
    return [...new Set(places)].map((place) => {
      const [, name = '', prefix = ''] = /^([^/]*)\/?(.*)$/s.exec(place) ?? [];
      const bucket = buckets.get(name) ?? Bucket.fromBucketName(this, `Input-${name}`, name);
      buckets.set(name, bucket);
      return prefix === '' ? bucket : { bucket, prefix };
    });
  }

  #topic({ alarmTopicArn: arn }: FanfoldStackProps): ITopic | undefined {
    return arn === undefined ? undefined : Topic.fromTopicArn(this, 'AlarmTopic', arn);
  }

  #key({ encryptionKeyArn: arn }: FanfoldStackProps): IKey | undefined {
    return arn === undefined ? undefined : Key.fromKeyArn(this, 'EncryptionKey', arn);
  }
}
