import type { Node, Pair, Range } from 'yaml';
import type { ConfigIssue } from '../errors.ts';
import { kindOf } from '../session/ids.ts';
import { unknownField } from './faults.ts';
import type { ConfigField } from './fields.ts';
import { type ConfigLayer, type GivenField, pathKey, type WrittenPlace } from './layer.ts';
import { nearest } from './nearest.ts';
import { parseYaml, type YamlDocument } from './yaml-document.ts';

/** The section of a file that is ours. */
export const section = 'ai_session';

/** Reads the section `ai_session` of a YAML file. The rest of the file is only parsed. */
export async function readYamlLayer(
  text: string,
  file: string,
  fields: readonly ConfigField[],
): Promise<ConfigLayer> {
  const yaml = await import('yaml');
  const { document, issues, placeOf, root } = await parseYaml(text, file);
  if (document === null || issues.length > 0) return { fields: [], places: new Map(), issues };
  return new SectionReader(yaml, { document, issues, placeOf, root }).read(fields);
}

class SectionReader {
  readonly #yaml: typeof import('yaml');
  readonly #source: YamlDocument;
  readonly #fields: GivenField[] = [];
  readonly #places = new Map<string, WrittenPlace>();
  readonly #issues: ConfigIssue[] = [];

  constructor(yaml: typeof import('yaml'), source: YamlDocument) {
    this.#yaml = yaml;
    this.#source = source;
  }

  read(fields: readonly ConfigField[]): ConfigLayer {
    const { root } = this.#source;
    const entries = this.#entriesOf(root);
    if (entries === null) this.#complain(root, 'YAML', `expected the section ${section}`);
    const own = entries?.find(([name]) => name === section);
    if (own !== undefined) this.#readFields(own[2], [], section, fields);
    else this.#findMisspelt(entries ?? []);
    return { fields: this.#fields, places: this.#places, issues: this.#issues };
  }

  /** A file need not have our section; one that nearly has its name is a mistake. */
  #findMisspelt(entries: readonly Entry[]): void {
    for (const [name, key] of entries) {
      if (nearest(name, [section]) === undefined) continue;
      this.#complain(key, name, `is not a section of ours; did you mean '${section}'?`);
    }
  }

  #readFields(
    node: Value,
    above: readonly string[],
    written: string,
    fields: readonly ConfigField[],
  ): void {
    const entries = this.#entriesOf(node);
    if (entries === null) {
      const names = fields.map((field) => field.written).join(', ');
      const message = `expected the fields ${names}; got ${this.#kindOf(node)}`;
      this.#complain(node, written, message);
      return;
    }
    for (const [name, key, value] of entries) {
      const field = fields.find((one) => one.written === name);
      const full = `${written}.${name}`;
      if (field === undefined) {
        const names = fields.map((one) => one.written);
        this.#complain(key, full, unknownField(name, names));
        continue;
      }
      const path = [...above, field.name];
      this.#setPlace(path, full, value ?? key);
      const isPart = field.kind === 'part' && this.#valueOf(value) !== null;
      if (isPart) this.#readFields(value, path, full, field.fields);
      else this.#fields.push({ path, value: this.#readValue(value, path, full) });
    }
  }

  /** A scalar, or a list of scalars: what is deeper is none of a field. */
  #readValue(node: Value, path: readonly string[], written: string): unknown {
    const value = this.#valueOf(node);
    if (!Array.isArray(value)) return value;
    return value.map((item, i) => {
      this.#setPlace([...path, String(i)], `${written}[${i}]`, item);
      return this.#valueOf(item);
    });
  }

  /** What a node stands for: a scalar's value, a list's nodes, and for a map an empty one. */
  #valueOf(given: Value): unknown {
    const node = this.#resolve(given);
    if (node === null || node === undefined) return null;
    if (this.#yaml.isScalar(node)) return node.value;
    return this.#yaml.isSeq<Node>(node) ? node.items : {};
  }

  #entriesOf(given: Value): readonly Entry[] | null {
    const node = this.#resolve(given);
    if (this.#valueOf(node) === null) return [];
    if (!this.#yaml.isMap<Node, Value>(node)) return null;
    return node.items.map(({ key, value }: Pair<Node, Value>): Entry => {
      const name = this.#yaml.isScalar(key) ? String(key.value) : 'a key that is no text';
      return [name, key, value];
    });
  }

  #resolve(node: Value): Value {
    return this.#yaml.isAlias(node) ? node.resolve(this.#source.document as never) : node;
  }

  #kindOf(node: Value): string {
    const value = this.#valueOf(node);
    return typeof value === 'string' ? `a text of ${value.length} characters` : kindOf(value);
  }

  #setPlace(path: readonly string[], written: string, node: Value): void {
    this.#places.set(pathKey(path), { written, place: this.#placeOf(node) });
  }

  #complain(node: Value, path: string, message: string): void {
    this.#issues.push({ path, message, place: this.#placeOf(node) });
  }

  #placeOf(node: Value): string {
    return this.#source.placeOf((node?.range as Range | null | undefined)?.[0] ?? 0);
  }
}

type Value = Node | null | undefined;
/** Name, key and value. */
type Entry = readonly [string, Node, Value];
