import type { ConfigIssue } from '../errors.ts';
import { setOwn } from '../session/json.ts';
import type { ConfigFault } from './faults.ts';
import { toSnakeCase } from './fields.ts';

/** One value that a source gives for a field, or for the field of a part; `path` has the names in code. */
export interface GivenField {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Where something stands, as its source names it. */
export interface WrittenPlace {
  /** `ai_session.session_ttl`, or the name of a variable. */
  readonly written: string;
  /** File, line and column; a variable has none. */
  readonly place?: string | undefined;
}

/** What one source gives: a file, or the environment. */
export interface ConfigLayer {
  readonly fields: readonly GivenField[];
  /** By `pathKey`, also of parts and of the items of lists. */
  readonly places: ReadonlyMap<string, WrittenPlace>;
  /** What cannot be a field at all. */
  readonly issues: readonly ConfigIssue[];
}

/** Layers, each laid over those before. */
export class LaidConfig {
  readonly config: Record<string, unknown> = {};
  readonly #places = new Map<string, WrittenPlace>();

  /** A field goes over a field, in a part too; a list goes over a list as a whole. */
  lay({ fields, places }: ConfigLayer): void {
    // The fields of a cache exclude each other, so that one which is named stands for the whole.
    if (fields.some(({ path }) => path[0] === 'cache')) delete this.config.cache;
    for (const { path, value } of fields) {
      const [name = '', inner] = path;
      setOwn(this.config, name, inner === undefined ? value : this.#withInner(name, inner, value));
    }
    for (const [key, place] of places) this.#places.set(key, place);
  }

  /** A fault, told as the source names it from which the value comes. */
  toIssue({ message, path }: ConfigFault): ConfigIssue {
    const { place, written } = this.#placeOf(path);
    return { path: written, message, place };
  }

  #placeOf(path: readonly string[]): WrittenPlace {
    const given = this.#places.get(pathKey(path));
    if (given !== undefined) return given;
    const name = toSnakeCase(path.at(-1) ?? '');
    if (path.length < 2) return { written: name };
    const around = this.#placeOf(path.slice(0, -1));
    const isVariable = /^[A-Z]/.test(around.written);
    const inner = isVariable ? `__${name.toUpperCase()}` : `.${name}`;
    return { ...around, written: `${around.written}${inner}` };
  }

  #withInner(name: string, inner: string, value: unknown): Record<string, unknown> {
    const part = this.config[name];
    const copy: Record<string, unknown> =
      typeof part === 'object' && part !== null ? { ...part } : {};
    setOwn(copy, inner, value);
    return copy;
  }
}

/** A path as the key of a map. */
export function pathKey(path: readonly string[]): string {
  return JSON.stringify(path);
}
