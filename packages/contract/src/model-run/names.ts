/**
 * Stands for an id that a store makes up. The model knows which thing it names and never what the id is; two
 * stores give two different ids for the same name.
 */
export class Name {
  readonly kind: string;
  readonly label: string;

  constructor(kind: string, label: string) {
    this.kind = kind;
    this.label = label;
  }
}

/** An id as the model knows it: one that a caller chose, or the name of one that a store makes up. */
export type Id = string | Name;

/** Which id of the store under test belongs to which name of the model: one to one. */
export class Names {
  readonly #ids = new Map<Name, string>();
  readonly #names = new Map<string, Name>();

  /** Meets a name with an id. Answers what is wrong with that, or null. */
  bind(name: Name, id: unknown): string | null {
    if (typeof id !== 'string' || id === '') return `expected an id for ${name.label}`;
    const known = this.#ids.get(name);
    if (known !== undefined)
      return known === id ? null : `expected ${name.label}, whose id is another`;
    const other = this.#names.get(id);
    if (other?.kind === name.kind)
      return `expected a new id for ${name.label}, not ${other.label}'s`;
    this.#ids.set(name, id);
    this.#names.set(id, name);
    return null;
  }

  /** Whether a name has met its id. */
  has(name: Name): boolean {
    return this.#ids.has(name);
  }

  /** The id in the store under test; one that cannot exist if it was never shown. */
  id(id: Id): string {
    if (typeof id === 'string') return id;
    return this.#ids.get(id) ?? `never-shown-${id.label.replaceAll('.', '-')}`;
  }

  /** A value as readable JSON text in which names stand for ids. */
  show(value: unknown): string {
    const text = JSON.stringify(value, (_, part: unknown) => {
      if (part instanceof Name) return `‹${part.label}›`;
      if (typeof part !== 'string') return part;
      const name = this.#names.get(part);
      if (name !== undefined) return `‹${name.label}›`;
      return part.length > 80 ? `${part.slice(0, 60)}… (${part.length} characters)` : part;
    });
    return text ?? 'nothing';
  }
}
