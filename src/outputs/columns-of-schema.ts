import type { Columns } from './columns.ts';
import { Shape } from './shape.ts';
import { joined, type Kind, kindOf } from './values.ts';

/** The parts of a JSON Schema that tell columns. */
interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  $ref?: string;
  properties?: Record<string, Schema>;
  patternProperties?: object;
  additionalProperties?: unknown;
  $defs?: Record<string, Schema>;
  definitions?: Record<string, Schema>;
}

/**
 * Derives columns from the JSON Schema of a task's outputs, such as zod's `z.toJSONSchema(schema)`.
 *
 * @returns undefined if the schema does not tell them: it allows any fields, or any values
 */
export function columnsOfSchema(schema: object): Columns | undefined {
  const root: Schema = schema;
  const shape = new Shape();
  for (const one of alternatives(root, root)) {
    if (one.type === 'null') continue;
    if (one.properties === undefined && one.type !== 'object') {
      const kind = kindOfSchema(one, root);
      // Arrays are JSON; a schema without a type allows objects too.
      if (kind === 'json' && one.type !== 'array') return undefined;
      shape.addValue(kind);
      continue;
    }
    if (isOpen(one)) return undefined;
    shape.addObject();
    for (const [name, field] of Object.entries(one.properties ?? {})) {
      shape.addField(name, kindOfSchema(field, root));
    }
  }
  return shape.columns();
}

/** Whether an object may have fields beside its properties. */
function isOpen({ allOf, anyOf, oneOf, $ref, patternProperties, additionalProperties }: Schema) {
  return Boolean(allOf ?? anyOf ?? oneOf ?? $ref ?? patternProperties ?? additionalProperties);
}

/** Ends the recursion through schemas that refer to themselves. */
const DEEPEST = 8;

/** Resolves references and choices: a value that fits a schema fits one of these. */
function alternatives(schema: Schema, root: Schema, depth = 0): Schema[] {
  if (depth === DEEPEST || schema.properties !== undefined) return [schema];
  const { $ref, anyOf, oneOf } = schema;
  const choices = $ref === undefined ? (anyOf ?? oneOf) : [referred($ref, root)];
  return choices?.flatMap((choice) => alternatives(choice, root, depth + 1)) ?? [schema];
}

function referred(reference: string, root: Schema): Schema {
  const [, room, name = ''] = /^#\/(\$defs|definitions)\/(.+)$/.exec(reference) ?? [];
  return (room === '$defs' ? root.$defs : root.definitions)?.[name] ?? {};
}

const KINDS: Readonly<Partial<Record<string, Kind>>> = {
  null: 'null',
  boolean: 'boolean',
  integer: 'integer',
  number: 'double',
  string: 'text',
};

/** The kind of all values that a schema allows. */
function kindOfSchema(schema: Schema, root: Schema): Kind {
  const kinds = alternatives(schema, root).flatMap((one): Kind[] => {
    if ('const' in one) return [kindOf(one.const)];
    if (one.enum !== undefined) return one.enum.map(kindOf);
    if (one.type === undefined) return ['json'];
    return [one.type].flat().map((type) => KINDS[type] ?? 'json');
  });
  return kinds.reduce(joined, 'null');
}
