import type { Construct } from 'constructs';

/** The error for props that a construct can't accept. */
export class FanfoldPropsError extends Error {
  override readonly name = 'FanfoldPropsError';

  constructor(message: string) {
    super(message);
    // Node prints the stack of an error that ends an app. This error is in the user's code.
    this.stack = `${this.name}: ${message}`;
  }
}

/** Ends the synthesis with an error that names the construct's path. */
export function refuse(scope: Construct, sentence: string): never {
  throw new FanfoldPropsError(`${scope.node.path}: ${sentence}`);
}

/** Describes a received value for an error message; objects are described by their type. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value !== 'object' || value === null) return String(value);
  const { name = 'Object' } = value.constructor ?? {};
  return name === 'Object' ? 'an object' : `an object of the class ${name}`;
}
