import { missingParameter, SqsError } from '../errors.ts';
import type { Parameters } from '../input.ts';
import { ENTRIES_FIELD, PARAMETERS, type Shape, type Shapes } from './parameters.ts';

/** One step in the names of a form's fields, which are paths: `Tag.1.Key` has three. */
class Field {
  value: string | undefined = undefined;
  readonly parts = new Map<string, Field>();

  part(name: string): Field {
    let part = this.parts.get(name);
    if (part === undefined) {
      part = new Field();
      this.parts.set(name, part);
    }
    return part;
  }
}

/** A request's fields by their paths. */
export class Fields {
  readonly #root = new Field();

  add(path: string, value: string): void {
    const steps = path.split('.', MAX_STEPS + 1);
    if (steps.length > MAX_STEPS) return;
    let field = this.#root;
    for (const step of steps) field = field.part(step);
    // As recorded from AWS: the first of two fields with one name counts.
    field.value ??= value;
  }

  /** A field that does not belong to an action, such as Version. */
  text(name: string): string | undefined {
    return this.#root.parts.get(name)?.value;
  }

  /** An action's parameters, in the shape of SQS's service model. Unknown fields are ignored. */
  parameters(action: string): Parameters {
    return readParts(this.#root, '', (name) => memberOf(action, name));
  }
}

/**
 * The longest path:
 * ...BatchRequestEntry.member.1.MessageAttribute.entry.1.Value.StringListValue.member.1
 */
const MAX_STEPS = 10;

/** A member of SQS's service model: `TagKeys` for the fields `TagKey.1`... */
type Member = readonly [name: string, shape: Shape];

const byField = new Map<Shapes, ReadonlyMap<string, Member>>();

/** Members by the names of their fields. */
function membersOf(shapes: Shapes): ReadonlyMap<string, Member> {
  const known = byField.get(shapes);
  if (known) return known;
  const members = new Map<string, Member>();
  for (const [name, shape] of shapes)
    members.set('field' in shape ? shape.field : name, [name, shape]);
  byField.set(shapes, members);
  return members;
}

/** A field means the same in each action, except for these two. */
function memberOf(action: string, field: string): Member | undefined {
  const member = membersOf(PARAMETERS).get(
    field === `${action}RequestEntry` ? ENTRIES_FIELD : field,
  );
  return action === 'CreateQueue' && field === 'Tag' && member ? ['tags', member[1]] : member;
}

function readParts(
  field: Field,
  path: string,
  find: (name: string) => Member | undefined,
): Parameters {
  const found: [string, unknown][] = [];
  for (const [step, part] of field.parts) {
    const [name, shape] = find(step) ?? [];
    if (name && shape) found.push([name, read(shape, part, path ? `${path}.${step}` : step)]);
  }
  return Object.fromEntries(found);
}

/** Reads the value of a member. The path is for error messages. */
function read(shape: Shape, field: Field, path: string): unknown {
  switch (shape.is) {
    case 'text':
    case 'bytes':
      return textOf(field, path);
    case 'integer': {
      const value = field.value ?? '';
      if (/^[+-]?\d{1,10}$/.test(value)) return Number(value);
      throw malformed(`${path}: expected an integer; got "${value}".`);
    }
    case 'list':
      return items(field, path, 'member').map(([item, at]) => read(shape.of, item, at));
    case 'map':
      return Object.fromEntries(
        items(field, path, 'entry').map(([item, at]) => [
          textOf(partOf(item, at, shape.key), `${at}.${shape.key}`),
          read(shape.of, partOf(item, at, 'Value'), `${at}.Value`),
        ]),
      );
    case 'structure': {
      checkNoValue(field, path);
      const members = membersOf(shape.members());
      return readParts(field, path, (name) => members.get(name));
    }
  }
}

function textOf(field: Field, path: string): string {
  if (field.value !== undefined) return field.value;
  throw malformed(`${path}: Start of structure or map found where not expected.`);
}

function partOf(item: Field, path: string, name: string): Field {
  const found = item.parts.get(name);
  if (found === undefined) throw missingParameter(`${path}.${name}`);
  return found;
}

/**
 * The items of a list or a map in the order of their numbers, which start at 1. A word may stand
 * between the name and the number, where the service model does not flatten the list or map. A
 * single item may have no number, as in many of AWS's examples: `AttributeName=All`,
 * `Attribute.Name`.
 */
function items(field: Field, path: string, word: string): [item: Field, path: string][] {
  // SDKs send this for an empty list.
  if (field.value === '' && field.parts.size === 0) return [];
  if (isItem(field)) return [[field, path]];
  checkNoValue(field, path);
  const numbered = Array.from(field.parts.get(word)?.parts ?? field.parts, ([step, item]) => ({
    index: indexOf(step),
    item,
    path: `${path}.${step}`,
  })).sort((one, other) => one.index - other.index);
  let last = 0;
  for (const { index } of numbered) {
    const skipped = index - last - 1;
    if (skipped > MAX_SKIPPED) {
      throw malformed(`Excessively sparse input would skip ${skipped} list elements`);
    }
    last = index;
  }
  return numbered.map(({ item, path }) => [item, path]);
}

/** Whether the field of a list or a map is itself an item, without a number before it. */
function isItem({ value, parts }: Field): boolean {
  return value === undefined ? parts.has('Name') || parts.has('Key') : parts.size === 0;
}

/** Recorded from AWS. */
const MAX_SKIPPED = 10;

function indexOf(step: string): number {
  if (!/^\d+$/.test(step)) throw malformed('Start of list found where not expected');
  if (/^0+$/.test(step)) throw malformed('0 is not a valid index');
  if (step.length > 9) throw malformed(`Index ${step} is illegal`);
  return Number(step);
}

function checkNoValue(field: Field, path: string): void {
  if (field.value !== undefined) throw malformed(`${path}: Value found where not expected`);
}

function malformed(message: string): SqsError {
  return new SqsError('MalformedInput', message);
}
