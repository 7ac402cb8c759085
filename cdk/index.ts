export { Fanfold } from './fanfold.ts';
export { FanfoldStack, type FanfoldStackProps } from './fanfold-stack.ts';
export { FanfoldMonitoring, type MonitoringProps, type Watched } from './monitoring.ts';
export type { BucketPrefix, FanfoldProps } from './props.ts';
export { FanfoldPropsError } from './refuse.ts';
