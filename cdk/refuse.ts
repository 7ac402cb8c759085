import type { Construct } from 'constructs';

/** A construct was given something that it cannot be made of. */
export class FanfoldPropsError extends Error {
  override readonly name = 'FanfoldPropsError';
}

/** Ends the synthesis with a sentence and the place in the app that it is about. */
export function refuse(scope: Construct, sentence: string): never {
  throw new FanfoldPropsError(`${scope.node.path}: ${sentence}`);
}
