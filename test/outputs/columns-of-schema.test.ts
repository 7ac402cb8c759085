import { expect, it } from 'vitest';
import * as z from 'zod';
import { columnsOfSchema } from '../../src/outputs/columns-of-schema.ts';

const typesOf = (schema: z.ZodType) =>
  columnsOfSchema(z.toJSONSchema(schema, { io: 'output' }))?.map(
    ({ name, type }) => `${name}: ${type}`,
  );

const id = z.string().meta({ id: 'Id' });
const tree = z.object({
  name: id,
  get children() {
    return z.array(tree);
  },
});

it.each([
  [
    'an object',
    z.object({
      n: z.int(),
      x: z.number().optional(),
      on: z.boolean().nullable(),
      list: z.array(id),
    }),
    ['n: integer', 'x: double', 'on: boolean', 'list: json'],
  ],
  [
    'fields with alternatives',
    z.object({
      mixed: z.union([z.string(), z.number()]),
      numbers: z.union([z.int(), z.number(), z.null()]),
      literal: z.literal('a').or(z.literal('b')),
      choice: z.enum(['x', 'y']),
      none: z.null(),
      any: z.unknown(),
    }),
    ['mixed: json', 'numbers: double', 'literal: text', 'choice: text', 'none: json', 'any: json'],
  ],
  [
    'one of several objects',
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), value: z.int() }),
      z.object({ kind: z.literal('b'), value: z.number(), more: id }),
    ]),
    ['kind: text', 'value: double', 'more: text'],
  ],
  ['an object or null', z.object({ a: id }).nullable(), ['a: text']],
  ['an object that contains itself', tree, ['name: text', 'children: json']],
  ['a number', z.number(), ['output: double']],
  ['an array', z.array(z.int()), ['output: json']],
  ['an object or a number', z.union([z.object({ a: id }), z.number()]), ['output: json']],
  ['any fields', z.looseObject({ a: id }), undefined],
  ['fields by key', z.record(z.string(), z.number()), undefined],
  ['anything', z.unknown(), undefined],
])('of a schema of %s', (_what, schema, types) => {
  expect(typesOf(schema)).toEqual(types);
});
