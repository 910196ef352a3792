import type { ConfigIssue } from '../errors.ts';
import { unknownField } from './faults.ts';
import type { ConfigField } from './fields.ts';
import { type ConfigLayer, type GivenField, pathKey, type WrittenPlace } from './layer.ts';

/** The variables of a process: `process.env`, or a plain object. */
export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'LEX_AI_SESSION__';

/** Reads `LEX_AI_SESSION__FIELD` and `LEX_AI_SESSION__PART__FIELD`; each variable with our prefix must be one. */
export function readEnvironmentLayer(
  env: Environment,
  fields: readonly ConfigField[],
): ConfigLayer {
  const variables = new Map(variablesOf(fields, [], ''));
  const given: GivenField[] = [];
  const places = new Map<string, WrittenPlace>();
  const issues: ConfigIssue[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || !/^LEX_AI_SESSION_/i.test(name)) continue;
    const variable = name.startsWith(prefix) ? variables.get(name.slice(prefix.length)) : undefined;
    if (variable === undefined) {
      issues.push({ path: name, message: unknownVariable(name, fields) });
      continue;
    }
    const isText = typeof value === 'string';
    given.push({ path: variable.path, value: isText ? readValue(value, variable.field) : value });
    places.set(pathKey(variable.path), { written: name });
    const [part, inner] = variable.path;
    if (inner !== undefined && part !== undefined) {
      places.set(pathKey([part]), { written: name.slice(0, name.lastIndexOf('__')) });
    }
  }
  // A part as a whole comes before its fields.
  given.sort((a, b) => a.path.length - b.path.length);
  return { fields: given, places, issues };
}

/** What may be meant is sought in the part that the name begins with, if it is one. */
function unknownVariable(name: string, fields: readonly ConfigField[]): string {
  const rest = name.slice(prefix.length - 1).replace(/^_/, '');
  const nameOf = ({ written }: ConfigField): string => written.toUpperCase();
  const part = fields.find(
    (field) => field.kind === 'part' && rest.startsWith(`${nameOf(field)}_`),
  );
  if (part === undefined) return unknownField(rest, fields.map(nameOf), prefix);
  const start = `${nameOf(part)}__`;
  return unknownField(rest.slice(start.length - 1), part.fields.map(nameOf), `${prefix}${start}`);
}

interface Variable {
  readonly path: readonly string[];
  readonly field: ConfigField;
}

function variablesOf(
  fields: readonly ConfigField[],
  above: readonly string[],
  start: string,
): readonly (readonly [string, Variable])[] {
  return fields.flatMap((field) => {
    const path = [...above, field.name];
    const name = `${start}${field.written.toUpperCase()}`;
    return [[name, { path, field }] as const, ...variablesOf(field.fields, path, `${name}__`)];
  });
}

const flags: ReadonlyMap<string, boolean> = new Map([
  ...['true', '1', 'yes', 'on'].map((text) => [text, true] as const),
  ...['false', '0', 'no', 'off'].map((text) => [text, false] as const),
]);

/** A variable's text as its field takes it. What cannot be read stays a text, which the field then refuses. */
function readValue(text: string, { kind }: ConfigField): unknown {
  const plain = text.trim();
  if (plain === '' || plain === 'null') return null;
  switch (kind) {
    case 'number':
      return /^-?(0|[1-9]\d*)(\.\d+)?$/.test(plain) ? Number(plain) : text;
    case 'boolean':
      return flags.get(plain.toLowerCase()) ?? text;
    case 'list':
      return plain.split(',').map((item) => item.trim());
    case 'part':
    case 'text':
      return text;
  }
}
