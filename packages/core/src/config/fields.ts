import type { z } from 'zod';

/** A field of the configuration as files and the environment need to know it. */
export interface ConfigField {
  /** Its name in code, like `sessionTtl`. */
  readonly name: string;
  /** Its name in a file, like `session_ttl`. */
  readonly written: string;
  readonly kind: 'number' | 'boolean' | 'text' | 'list' | 'part';
  /** Whether null may stand for none. */
  readonly optional: boolean;
  /** The fields of a part. */
  readonly fields: readonly ConfigField[];
}

/** The fields of an object's schema, or of all objects that a union offers. */
export function fieldsOf(schema: unknown): readonly ConfigField[] {
  const fields = new Map<string, ConfigField>();
  for (const shape of shapesOf(schema)) {
    for (const [name, field] of Object.entries(shape)) {
      const inner = unwrap(field);
      fields.set(name, {
        name,
        written: toSnakeCase(name),
        kind: kinds[inner.def.type] ?? 'text',
        optional: (field as z.ZodType).isNullable(),
        fields: fieldsOf(inner),
      });
    }
  }
  return [...fields.values()];
}

/** `sessionTtl` as files write it: `session_ttl`. */
export function toSnakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The field at a path of names in code, if there is one. */
export function fieldAt(
  fields: readonly ConfigField[],
  path: readonly string[],
): ConfigField | undefined {
  const [first, ...rest] = path;
  const field = fields.find(({ name }) => name === first);
  return field === undefined || rest.length === 0 ? field : fieldAt(field.fields, rest);
}

const kinds: Readonly<Record<string, ConfigField['kind']>> = {
  number: 'number',
  boolean: 'boolean',
  array: 'list',
  object: 'part',
  union: 'part',
};

interface Schema {
  readonly def: { readonly type: string };
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly options?: readonly unknown[];
  unwrap?(): unknown;
}

/** What is inside of defaults and of “or null”. */
function unwrap(schema: unknown): Schema {
  const given = schema as Schema;
  const isWrapped = given.def.type === 'default' || given.def.type === 'nullable';
  return isWrapped ? unwrap(given.unwrap?.()) : given;
}

function shapesOf(schema: unknown): readonly Readonly<Record<string, unknown>>[] {
  const { options, shape } = schema as Schema;
  return shape !== undefined ? [shape] : (options ?? []).flatMap(shapesOf);
}
