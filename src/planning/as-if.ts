import { FanfoldError, valueText } from '../errors.ts';

/** Properties of a stack that decide what a run on it costs. */
export interface AsIfProps {
  /** Memory of a worker, in MiB: 128 to 10240. @default 1024 */
  memorySize?: number | undefined;
  /** Processor architecture of the functions. @default 'arm64' */
  architecture?: 'arm64' | 'x86_64' | undefined;
  /** Region of the prices. @default 'us-east-1' */
  region?: string | undefined;
}

/** A deployment whose costs are metered here. */
export interface AsIf {
  memoryMb: number;
  isArm: boolean;
  region: string;
}

const NAMES = ['memorySize', 'architecture', 'region'];

/**
 * Checks the properties of a stack.
 *
 * @param source what has them, for messages
 * @throws FanfoldError `BadOption` for unknown ones and wrong values
 */
export function asIfOf(props: unknown, source = '`asIf`'): AsIf {
  if (typeof props !== 'object' || props === null || Array.isArray(props)) {
    throw wrong(`${source} must be an object of a stack's properties; got ${valueText(props)}.`);
  }
  const given = new Map<string, unknown>(Object.entries(props));
  const unknown = [...given.keys()].find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    throw wrong(`${source} has no property "${unknown}". Its properties are ${NAMES.join(', ')}.`);
  }
  const memoryMb = given.get('memorySize') ?? 1024;
  const architecture = given.get('architecture') ?? 'arm64';
  const region = given.get('region') ?? 'us-east-1';
  if (!Number.isInteger(memoryMb) || Number(memoryMb) < 128 || Number(memoryMb) > 10_240) {
    throw wrong(
      `${source}: memorySize must be a whole number of MiB from 128 to 10240; got ${valueText(memoryMb)}.`,
    );
  }
  if (architecture !== 'arm64' && architecture !== 'x86_64') {
    throw wrong(`${source}: architecture must be arm64 or x86_64; got ${valueText(architecture)}.`);
  }
  if (typeof region !== 'string' || !/^[a-z]{2,}(-[a-z]+)+-\d$/.test(region)) {
    throw wrong(
      `${source}: region must be one of AWS, such as eu-central-1; got ${valueText(region)}.`,
    );
  }
  return { memoryMb: Number(memoryMb), isArm: architecture === 'arm64', region };
}

/**
 * Reads properties as JSON, or as `memory=1024,region=eu-central-1,architecture=arm64`.
 *
 * @throws FanfoldError `BadOption` that names the source
 */
export function readAsIf(text: string, source: string): AsIfProps {
  const props = text.trimStart().startsWith('{') ? parsed(text, source) : pairsOf(text, source);
  asIfOf(props, source);
  return props as AsIfProps;
}

function parsed(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FanfoldError('BadOption', `${source} is no JSON: ${why}.`, { cause });
  }
}

function pairsOf(text: string, source: string): Record<string, unknown> {
  const pairs = text.split(',').map((pair) => {
    const [, name = '', value = ''] = /^\s*(\w+)=(.*?)\s*$/.exec(pair) ?? [];
    if (name === '') {
      throw wrong(
        `${source} must be a stack's properties, such as memory=1024,region=eu-central-1,architecture=arm64, or the same as JSON; got "${text}".`,
      );
    }
    const isNumber = /^\d+$/.test(value);
    return [name === 'memory' ? 'memorySize' : name, isNumber ? Number(value) : value] as const;
  });
  return Object.fromEntries(pairs);
}

function wrong(why: string): FanfoldError {
  return new FanfoldError('BadOption', why);
}
