export { Fanfold } from './fanfold.ts';
export { FanfoldStack, type FanfoldStackProps } from './fanfold-stack.ts';
export { FanfoldMonitoring, type MonitoringProps } from './monitoring.ts';
export type { FanfoldProps } from './props.ts';
export { FanfoldPropsError } from './refuse.ts';
