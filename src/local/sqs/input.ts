import { Bytes } from './engine/bytes.ts';
import type { GivenAttribute } from './engine/message-attributes.ts';
import { missingParameter, SqsError } from './errors.ts';

/** A request's parameters, in the shape that SQS's service model gives them. */
export type Parameters = Readonly<Record<string, unknown>>;

const NO_ATTRIBUTES: ReadonlyMap<string, GivenAttribute> = new Map();

/**
 * Reads parameters by name and type. What is of another type is no request that any SDK makes: it
 * is refused as AWS's parser does.
 */
export class Input {
  readonly #parameters: Parameters;

  constructor(parameters: Parameters) {
    this.#parameters = parameters;
  }

  text(name: string): string | undefined {
    const value = this.#parameters[name] ?? undefined;
    if (value === undefined || typeof value === 'string') return value;
    throw wrongType(name, 'STRING_VALUE', value);
  }

  requiredText(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw missingParameter(name);
    return value;
  }

  integer(name: string): number | undefined {
    const value = this.#parameters[name] ?? undefined;
    if (value === undefined || (typeof value === 'number' && Number.isInteger(value))) return value;
    throw wrongType(name, 'NUMBER_VALUE', value);
  }

  texts(name: string): string[] {
    return this.#list(name).map((value) => {
      if (typeof value === 'string') return value;
      throw wrongType(name, 'STRING_VALUE', value);
    });
  }

  textMap(name: string): Record<string, string> {
    const map = this.#map(name);
    for (const value of Object.values(map)) {
      if (typeof value !== 'string') throw wrongType(name, 'STRING_VALUE', value);
    }
    return map as Record<string, string>;
  }

  has(name: string): boolean {
    return (this.#parameters[name] ?? undefined) !== undefined;
  }

  /** A list of structures; undefined when the parameter is not there. */
  entries(name: string): Input[] | undefined {
    if (!this.has(name)) return undefined;
    return this.#list(name).map((value) => new Input(structure(name, value)));
  }

  /** Bytes, which JSON has as base64. */
  bytes(name: string): Bytes | undefined {
    const value = this.#parameters[name] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value === 'string') return decoded(name, value);
    if (value instanceof Uint8Array) return new Bytes(value);
    throw wrongType(name, 'BLOB_VALUE', value);
  }

  attributes(name: string): ReadonlyMap<string, GivenAttribute> {
    if (!this.has(name)) return NO_ATTRIBUTES;
    return new Map(
      Object.entries(this.#map(name)).map(([key, value]) => {
        const given = new Input(structure(name, value));
        return [
          key,
          {
            dataType: given.text('DataType'),
            text: given.text('StringValue'),
            bytes: given.bytes('BinaryValue'),
            isList:
              given.#list('StringListValues').length > 0 ||
              given.#list('BinaryListValues').length > 0,
          },
        ];
      }),
    );
  }

  #list(name: string): readonly unknown[] {
    const value = this.#parameters[name] ?? [];
    if (Array.isArray(value)) return value;
    throw wrongType(name, 'LIST_VALUE', value);
  }

  #map(name: string): Parameters {
    return structure(name, this.#parameters[name] ?? {});
  }
}

function decoded(name: string, base64: string): Bytes {
  const digits = base64.replace(/={1,2}$/, '');
  if (base64.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(digits)) {
    return new Bytes(Buffer.from(base64, 'base64'));
  }
  throw new SqsError('MalformedInput', `${name}: bytes were expected, but not in base64.`);
}

function structure(name: string, value: unknown): Parameters {
  if (isStructure(value)) return value;
  throw wrongType(name, 'STRUCTURE', value);
}

function isStructure(value: unknown): value is Parameters {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongType(name: string, expected: string, value: unknown): SqsError {
  const came = Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  return new SqsError('MalformedInput', `${name}: ${expected} was expected, but ${came} came.`);
}
