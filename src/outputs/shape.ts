import type { Column, Columns } from './columns.ts';
import { joined, type Kind, typeOf } from './values.ts';

/** Most columns for fields: outputs with more are tables by key, and become one JSON column. */
const MOST_FIELDS = 1_000;

/** The outputs of a run, as far as they are known: their fields, or the kind of their values. */
export class Shape {
  readonly #fields = new Map<string, Kind>();
  #values: Kind = 'null';
  #hasObjects = false;

  /** Adds an output that has no fields. */
  addValue(kind: Kind): void {
    this.#values = joined(this.#values, kind);
  }

  /** Adds an output that is an object. */
  addObject(): void {
    this.#hasObjects = true;
  }

  addField(name: string, kind: Kind): void {
    this.#fields.set(name, joined(this.#fields.get(name) ?? 'null', kind));
  }

  columns(): Columns {
    const hasFields =
      this.#values === 'null' && this.#fields.size > 0 && this.#fields.size <= MOST_FIELDS;
    if (hasFields) return named([...this.#fields]);
    return [{ name: 'output', type: this.#hasObjects ? 'json' : typeOf(this.#values) }];
  }
}

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
