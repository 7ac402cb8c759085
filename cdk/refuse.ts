import type { Construct } from 'constructs';

/** A construct was given something that it cannot be made of. */
export class FanfoldPropsError extends Error {
  override readonly name = 'FanfoldPropsError';

  constructor(message: string) {
    super(message);
    // Node prints the stack of an error that ends an app: this one is its user's to mend, not ours.
    this.stack = `${this.name}: ${message}`;
  }
}

/** Ends the synthesis with a sentence and the place in the app that it is about. */
export function refuse(scope: Construct, sentence: string): never {
  throw new FanfoldPropsError(`${scope.node.path}: ${sentence}`);
}

/** What came, as a sentence can say it: of what is no text or number, what it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value !== 'object' || value === null) return String(value);
  const { name = 'Object' } = value.constructor ?? {};
  return name === 'Object' ? 'an object' : `an object of the class ${name}`;
}
