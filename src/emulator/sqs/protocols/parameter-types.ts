import { isObject } from '../engine/json-value.ts';
import { SqsError } from '../errors.ts';
import type { Parameters } from '../input.ts';
import { PARAMETERS, type Shape, type Shapes } from './parameters.ts';

/** Refuses a request as a whole: AWS's parser reads all of it before any of it is performed. */
export function checkTypes(parameters: Parameters): void {
  checkMembers(PARAMETERS, parameters, '');
}

function checkMembers(members: Shapes, structure: Parameters, path: string): void {
  for (const name of Object.keys(structure)) {
    const value = structure[name];
    const shape = members.get(name);
    // Null counts as absent, and unknown members are ignored.
    if (value === null || value === undefined || shape === undefined) continue;
    check(shape, value, path ? `${path}.${name}` : name);
  }
}

/** Refuses a value whose type differs from the member's. */
function check(shape: Shape, value: unknown, path: string): void {
  switch (shape.is) {
    case 'text':
      if (typeof value !== 'string') throw wrongType(path, 'a String', value);
      return;
    case 'integer':
      if (!Number.isInteger(value)) throw wrongType(path, 'an Integer', value);
      return;
    case 'bytes':
      // In JSON, they are base64.
      if (typeof value === 'string' || value instanceof Uint8Array) return;
      throw wrongType(path, 'a Blob', value);
    case 'list':
      if (!Array.isArray(value)) throw wrongType(path, 'a List', value);
      for (const [index, item] of value.entries()) check(shape.of, item, `${path}.${index + 1}`);
      return;
    case 'map':
      for (const [key, one] of entriesOf(value, path, 'a Map')) {
        check(shape.of, one, `${path}.${key}`);
      }
      return;
    case 'structure':
      checkMembers(
        shape.members(),
        Object.fromEntries(entriesOf(value, path, 'a Structure')),
        path,
      );
  }
}

function entriesOf(value: unknown, path: string, expected: string): [string, unknown][] {
  if (isObject(value) && !(value instanceof Uint8Array)) return Object.entries(value);
  throw wrongType(path, expected, value);
}

/** In the words of AWS's parser, as recorded from other services that have it. */
function wrongType(path: string, expected: string, value: unknown): SqsError {
  const what = Array.isArray(value)
    ? 'Start of list found where not expected'
    : typeof value === 'object' && value !== null
      ? 'Start of structure or map found where not expected'
      : `${String(value === null ? 'null' : typeof value).toUpperCase()}_VALUE can not be converted to ${expected}`;
  return new SqsError('MalformedInput', `${path}: ${what}.`);
}
