import type { Column, Columns } from './columns.ts';
import { joined, type Kind, typeOf } from './values.ts';

/** Most columns for fields: outputs with more are tables by key, and become one JSON column. */
const MOST_FIELDS = 1_000;

/** A shape as JSON. */
export interface SavedShape {
  /** Undefined if there are too many to be columns. */
  fields: [name: string, kind: Kind][] | undefined;
  values: Kind;
  hasObjects: boolean;
}

/** The outputs of a run, as far as they are known: their fields, or the kind of their values. */
export class Shape {
  /** Undefined if there are too many to be columns. */
  #fields: Map<string, Kind> | undefined;
  #values: Kind;
  #hasObjects: boolean;

  constructor({ fields, values, hasObjects }: SavedShape = NONE) {
    this.#fields = fields && new Map(fields);
    this.#values = values;
    this.#hasObjects = hasObjects;
  }

  save(): SavedShape {
    const fields = this.#fields && [...this.#fields];
    return { fields, values: this.#values, hasObjects: this.#hasObjects };
  }

  /** Adds an output that has no fields. */
  addValue(kind: Kind): void {
    this.#values = joined(this.#values, kind);
  }

  /** Adds an output that is an object. */
  addObject(): void {
    this.#hasObjects = true;
  }

  addField(name: string, kind: Kind): void {
    this.#fields?.set(name, joined(this.#fields.get(name) ?? 'null', kind));
    if (this.#fields && this.#fields.size > MOST_FIELDS) this.#fields = undefined;
  }

  columns(): Columns {
    const fields = [...(this.#fields ?? [])];
    if (this.#values === 'null' && fields.length > 0) return named(fields);
    return [{ name: 'output', type: this.#hasObjects ? 'json' : typeOf(this.#values) }];
  }
}

const NONE: SavedShape = { fields: [], values: 'null', hasObjects: false };

/**
 * Names the columns of fields. Databases do not tell names apart by the case of their letters, and
 * `index` is the first column: a name that is taken gets a number.
 */
function named(fields: [name: string, kind: Kind][]): Column[] {
  const taken = new Set(['index']);
  const own = new Set(fields.map(([field]) => nameOf(field).toLowerCase()));
  return fields.map(([field, kind]) => {
    const base = nameOf(field);
    let name = base;
    for (let next = 2; taken.has(name.toLowerCase()); next++) {
      name = `${base}_${next}`;
      if (own.has(name.toLowerCase())) name = base;
    }
    taken.add(name.toLowerCase());
    return { name, type: typeOf(kind), field };
  });
}

/** A name in UTF-8, not empty. */
function nameOf(field: string): string {
  return field === '' ? 'field' : field.toWellFormed();
}
