import { IDENTITIES, type Identity } from './identities.ts';
import { type Place, type Template, TemplateError } from './template.ts';

/** `AWS::NoValue`: the property counts as absent. */
const NO_VALUE = Symbol('AWS::NoValue');

type Evaluate = (argument: unknown, where: string) => unknown;

/**
 * Resolves a template's references, as CloudFormation does when it deploys. It refuses a
 * reference that it cannot resolve, and names its place.
 */
export class Intrinsics {
  readonly #template: Template;
  readonly #place: Place;
  readonly #pseudo: Readonly<Record<string, unknown>>;
  readonly #functions: Readonly<Record<string, Evaluate>> = {
    Ref: (name, where) => this.#ref(name, where),
    'Fn::GetAtt': (argument, where) => this.#attribute(argument, where),
    'Fn::Join': (argument, where) => this.#join(argument, where),
    'Fn::Select': (argument, where) => this.#select(argument, where),
    'Fn::Split': (argument, where) => this.#split(argument, where),
    'Fn::If': (argument, where) => this.#choose(argument, where),
    'Fn::Sub': (argument, where) => this.#substitute(argument, where),
  };

  constructor(template: Template, place: Place) {
    this.#template = template;
    this.#place = place;
    const { accountId, region, stackName } = place;
    this.#pseudo = {
      'AWS::AccountId': accountId,
      'AWS::NoValue': NO_VALUE,
      'AWS::Partition': 'aws',
      'AWS::Region': region,
      'AWS::StackId': `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/0`,
      'AWS::StackName': stackName,
      'AWS::URLSuffix': 'amazonaws.com',
    };
  }

  /** @param where the value's place in the template, for the error */
  resolve(value: unknown, where: string): unknown {
    if (Array.isArray(value)) {
      return value
        .map((item, at) => this.resolve(item, `${where}[${at}]`))
        .filter((item) => item !== NO_VALUE);
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [name, argument] = entries[0] ?? [''];
    if (name === 'Ref' || name.startsWith('Fn::')) {
      const evaluate = this.#functions[name];
      if (entries.length === 1 && evaluate) return evaluate(argument, where);
      throw new TemplateError(
        `${where} uses ${Object.keys(value).join(', ')}, which is no intrinsic function that is known here: ${Object.keys(this.#functions).join(', ')}.`,
      );
    }
    return Object.fromEntries(
      entries
        .map(([key, inner]) => [key, this.resolve(inner, `${where}.${key}`)] as const)
        .filter(([, inner]) => inner !== NO_VALUE),
    );
  }

  text(value: unknown, where: string): string {
    const resolved = this.resolve(value, where);
    if (typeof resolved === 'string') return resolved;
    if (typeof resolved === 'number' || typeof resolved === 'boolean') return String(resolved);
    throw new TemplateError(`${where} is to be a text; it is ${JSON.stringify(resolved)}.`);
  }

  /** The identity of a created resource. */
  identity(logicalId: string, where = logicalId): Identity {
    const resource = this.#template.Resources[logicalId];
    if (resource === undefined) {
      throw new TemplateError(`${where} refers to ${logicalId}, which the template does not have.`);
    }
    const { Type, Properties = {} } = resource;
    const identify = IDENTITIES[Type];
    if (identify === undefined) {
      throw new TemplateError(`${logicalId} is a ${Type}, a type that is not known here.`);
    }
    const place = this.#place;
    const text = (property: string) =>
      Properties[property] === undefined
        ? undefined
        : this.text(Properties[property], `${logicalId}.${property}`);
    return identify({ logicalId, place, text });
  }

  #ref(name: unknown, where: string): unknown {
    if (typeof name !== 'string') throw malformed('Ref', 'a name', name, where);
    if (Object.hasOwn(this.#pseudo, name)) return this.#pseudo[name];
    const parameter = this.#template.Parameters?.[name];
    if (parameter === undefined) return this.identity(name, where).ref;
    if (parameter.Default !== undefined) return parameter.Default;
    throw new TemplateError(`${where} refers to the parameter ${name}, which has no value.`);
  }

  #attribute(argument: unknown, where: string): string {
    const path = typeof argument === 'string' ? argument.split('.') : argument;
    if (!isTexts(path) || path.length < 2) {
      throw malformed('Fn::GetAtt', 'a resource and an attribute', argument, where);
    }
    const [logicalId = '', ...rest] = path;
    const name = rest.join('.');
    const { attributes } = this.identity(logicalId, where);
    const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (value !== undefined) return value;
    const type = this.#template.Resources[logicalId]?.Type;
    throw new TemplateError(
      `${where} asks for ${name} of ${logicalId}: a ${type} has ${Object.keys(attributes).join(', ') || 'no attributes'}.`,
    );
  }

  #choose(argument: unknown, where: string): unknown {
    const [name, ...values] = Array.isArray(argument) ? argument : [];
    const condition = this.#template.Conditions?.[String(name)];
    if (condition === undefined || values.length !== 2) {
      throw malformed('Fn::If', 'a condition of the template and two values', argument, where);
    }
    return this.resolve(values[this.#holds(condition, `Conditions.${name}`) ? 0 : 1], where);
  }

  #holds(condition: unknown, where: string): boolean {
    const [name, parts] = Object.entries(condition as Record<string, unknown[]>)[0] ?? ['', []];
    if (name === 'Fn::Not') return !this.#holds(parts[0], where);
    if (name === 'Fn::Or') return parts.some((part) => this.#holds(part, where));
    if (name === 'Fn::Equals') return this.text(parts[0], where) === this.text(parts[1], where);
    throw malformed('a condition', 'Fn::Not, Fn::Or or Fn::Equals', condition, where);
  }

  #join(argument: unknown, where: string): string {
    const [separator, parts] = this.#pair('Fn::Join', argument, where);
    if (typeof separator !== 'string' || !Array.isArray(parts)) {
      throw malformed('Fn::Join', 'a separator and a list', argument, where);
    }
    return parts.map((part, at) => this.text(part, `${where}[${at}]`)).join(separator);
  }

  #select(argument: unknown, where: string): unknown {
    const [index, list] = this.#pair('Fn::Select', argument, where);
    const items = this.resolve(list, where);
    const item = Array.isArray(items) ? items[Number(index)] : undefined;
    if (item === undefined) throw malformed('Fn::Select', 'an index in a list', argument, where);
    return item;
  }

  #split(argument: unknown, where: string): string[] {
    const [separator, text] = this.#pair('Fn::Split', argument, where);
    if (typeof separator !== 'string') {
      throw malformed('Fn::Split', 'a separator and a text', argument, where);
    }
    return this.text(text, where).split(separator);
  }

  #substitute(argument: unknown, where: string): string {
    const [text, values] = Array.isArray(argument) ? argument : [argument, {}];
    if (typeof text !== 'string') throw malformed('Fn::Sub', 'a text', argument, where);
    return text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
      if (name.startsWith('!')) return `\${${name.slice(1)}}`;
      if (Object.hasOwn(values, name)) return this.text(values[name], where);
      return this.text(name.includes('.') ? { 'Fn::GetAtt': name } : { Ref: name }, where);
    });
  }

  #pair(name: string, argument: unknown, where: string): [unknown, unknown] {
    if (Array.isArray(argument) && argument.length === 2) return [argument[0], argument[1]];
    throw malformed(name, 'a list of two', argument, where);
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function malformed(name: string, expected: string, came: unknown, where: string): TemplateError {
  return new TemplateError(`${where}: ${name} takes ${expected}; ${JSON.stringify(came)} came.`);
}
