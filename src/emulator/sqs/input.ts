import { Bytes, type GivenAttribute } from './engine/message-attributes.ts';
import { missingParameter, SqsError } from './errors.ts';

/** A request's parameters, in the shape of SQS's service model, as verified by `checkTypes`. */
export type Parameters = Readonly<Record<string, unknown>>;

const NO_ATTRIBUTES: ReadonlyMap<string, GivenAttribute> = new Map();

/** Reads parameters by name. It does not check their types, since the protocol has done so. */
export class Input {
  readonly #parameters: Parameters;

  constructor(parameters: Parameters) {
    this.#parameters = parameters;
  }

  text(name: string): string | undefined {
    return this.#read<string>(name);
  }

  requiredText(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw missingParameter(name);
    return value;
  }

  integer(name: string): number | undefined {
    return this.#read<number>(name);
  }

  texts(name: string): readonly string[] {
    return this.#read<string[]>(name) ?? [];
  }

  textMap(name: string): Readonly<Record<string, string>> {
    return this.#read<Record<string, string>>(name) ?? {};
  }

  /** A map that is not empty: the Query protocol can't distinguish an empty map from none. */
  requiredMap(name: string): Readonly<Record<string, string>> {
    const map = this.textMap(name);
    if (Object.keys(map).length === 0) throw missingParameter(name);
    return map;
  }

  has(name: string): boolean {
    return this.#read(name) !== undefined;
  }

  /** A list of structures. */
  entries(name: string): Input[] {
    return (this.#read<Parameters[]>(name) ?? []).map((entry) => new Input(entry));
  }

  /** Bytes, which are base64 in the JSON and Query protocols. */
  #bytes(name: string): Bytes | undefined {
    const value = this.#read<string | Uint8Array>(name);
    return typeof value === 'string' ? decoded(name, value) : value && new Bytes(value);
  }

  attributes(name: string): ReadonlyMap<string, GivenAttribute> {
    const attributes = this.#read<Record<string, Parameters>>(name);
    if (attributes === undefined) return NO_ATTRIBUTES;
    return new Map(
      Object.entries(attributes).map(([key, value]) => {
        const given = new Input(value);
        const isList = (list: string) => given.texts(list).length > 0;
        return [
          key,
          {
            dataType: given.text('DataType'),
            text: given.text('StringValue'),
            bytes: given.#bytes('BinaryValue'),
            isList: isList('StringListValues') || isList('BinaryListValues'),
          },
        ];
      }),
    );
  }

  #read<T>(name: string): T | undefined {
    return (this.#parameters[name] as T | null | undefined) ?? undefined;
  }
}

function decoded(name: string, base64: string): Bytes {
  const digits = base64.replace(/={1,2}$/, '');
  if (base64.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(digits)) {
    return new Bytes(Buffer.from(base64, 'base64'));
  }
  throw new SqsError('MalformedInput', `${name}: expected bytes in base64; got other text.`);
}
