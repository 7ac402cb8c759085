export { Fanfold, type FanfoldProps } from './fanfold.ts';
export { FanfoldStack, type FanfoldStackProps } from './fanfold-stack.ts';
export { FanfoldPropsError } from './refuse.ts';
