import { inspect } from 'node:util';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isThenable } from './thenable.ts';

/** An input that its task's schema does not accept: trying it again is pointless. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
}

/**
 * An input as a schema returns it, at once or later. Throws or rejects with `InvalidInput` if the
 * schema reports issues, and with any error of the schema itself, which may query a database.
 */
export function checked(
  schema: StandardSchemaV1,
  input: unknown,
): { value: unknown } | Promise<unknown> {
  const answer: unknown = schema['~standard'].validate(input);
  if (isThenable(answer)) return Promise.resolve(answer).then((given) => accepted(given).value);
  return accepted(answer);
}

function accepted(answer: unknown): { value: unknown } {
  if (typeof answer === 'object' && answer !== null) {
    const { issues } = answer as { issues?: unknown };
    if (Array.isArray(issues)) throw new InvalidInput(issuesText(issues));
    if (!issues && 'value' in answer) return answer as { value: unknown };
  }
  throw new InvalidInput(
    `The task's schema must return { value } or { issues: [...] }; it returned ${inspect(answer, { depth: 1 }).slice(0, 200)}.`,
  );
}

/** Shows an issue as it is if it does not follow the standard. */
function issuesText(issues: readonly unknown[]): string {
  const lines = issues.map((issue) => {
    const { message, path } = Object(issue) as { message?: unknown; path?: unknown };
    if (typeof message !== 'string') return inspect(issue, { depth: 1 });
    const keys = Array.isArray(path) ? path.map(keyOf) : [];
    return keys.length > 0 ? `${keys.join('.')}: ${message}` : message;
  });
  return lines.join('; ') || "The task's schema rejects the input, and gives no reason.";
}

function keyOf(part: unknown): string {
  return String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part);
}
