/** The part of a resource that decides whether an update replaces it. */
export interface Identity {
  readonly Type: string;
  /** Properties whose change replaces the resource. */
  readonly replacing: Readonly<Record<string, unknown>>;
}

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** The property that is the physical name, first, and others whose change replaces the resource. */
const REPLACING: Readonly<Record<string, readonly [name: string, ...others: string[]]>> = {
  'AWS::CloudWatch::Alarm': ['AlarmName'],
  'AWS::CloudWatch::Dashboard': ['DashboardName'],
  'AWS::Events::Rule': ['Name'],
  'AWS::IAM::ManagedPolicy': ['ManagedPolicyName', 'Description', 'Path'],
  'AWS::IAM::Role': ['RoleName', 'Path'],
  'AWS::Lambda::EventInvokeConfig': ['FunctionName', 'Qualifier'],
  'AWS::Lambda::EventSourceMapping': ['EventSourceArn'],
  'AWS::Lambda::Function': ['FunctionName', 'PackageType'],
  'AWS::Logs::LogGroup': ['LogGroupName'],
  'AWS::S3::Bucket': ['BucketName'],
  'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
};

/** Resources whose content a replacement loses. */
const STATEFUL = ['AWS::Logs::LogGroup', 'AWS::S3::Bucket', 'AWS::SQS::Queue'];

/** The resources of a template that can be replaced, by logical id. */
export function identitiesOf(resources: Readonly<Record<string, Resource>>) {
  const found = Object.entries(resources).flatMap(([id, { Type, Properties = {} }]) => {
    const replacing = REPLACING[Type]
      ?.filter((property) => Properties[property] !== undefined && Properties[property] !== '')
      .map((property) => [property, Properties[property]]);
    return replacing ? [[id, { Type, replacing: Object.fromEntries(replacing) }] as const] : [];
  });
  const sorted = found.sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries<Identity>(sorted);
}

/** Reasons why a stack of the one release cannot become one of the other, or would lose content. */
export function refusalsOf(
  from: Readonly<Record<string, Identity>>,
  to: Readonly<Record<string, Identity>>,
): string[] {
  const ofResources = Object.entries(from).flatMap(([id, before]) => {
    const after = to[id];
    if (after === undefined) {
      return STATEFUL.includes(before.Type) ? [`${id} is gone, and its content`] : [];
    }
    if (after.Type !== before.Type) return [`${id} is a ${after.Type}, and was a ${before.Type}`];
    if (equal(before.replacing, after.replacing)) return [];
    if (STATEFUL.includes(before.Type)) return [`${id} is replaced, and its content lost`];
    const name = nameOf(before);
    return name !== undefined && equal(name, nameOf(after))
      ? [`${id} is replaced, while its name is taken by the one before`]
      : [];
  });
  const taken = Object.entries(to).flatMap(([id, after]) => {
    const name = nameOf(after);
    if (from[id] !== undefined || name === undefined) return [];
    const holder = Object.entries(from).find(
      ([, before]) => before.Type === after.Type && equal(nameOf(before), name),
    );
    return holder
      ? [`${id} has the name of ${holder[0]}, which is still there when it is made`]
      : [];
  });
  return [...ofResources, ...taken];
}

function nameOf({ Type, replacing }: Identity): unknown {
  return replacing[REPLACING[Type]?.[0] ?? ''];
}

function equal(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
