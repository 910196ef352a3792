import type { Owner } from '@lexigram/ai-session/store';

/** Lua hands on no more than some 8,000 words at a time. */
const pushedAtOnce = 1_000;

/** Steps on a register, as a script takes them: each with the number of its words before it. */
export type StepWords = readonly string[];

/** An owner whose row must still be at a version, and goes up by one: a cap or a budget was judged by it. */
export interface OwnerClaim {
  readonly owner: Owner;
  readonly version: number;
  /** What the flush adds to what the owner has open and has spent. */
  readonly opens: number;
  readonly spends: number;
}

/** A flush on its way to the server: what is checked, and what is then written, in the session and beside it. */
export class FlushSteps {
  readonly #checks: string[] = [];
  readonly #steps: string[] = [];
  readonly #claims: string[][] = [];
  readonly #asides = new Map<string, string[]>();
  owner: OwnerClaim | null = null;

  /** Of the session, or of the register, whose steps these are. */
  check(kind: 'version' | 'equal' | 'absent', key: string, field: string, value: string): void {
    this.#checks.push(kind, key, field, value);
  }

  /** A field that must not be there yet, and is set. */
  claim(key: string, field: string, value: string): void {
    this.#claims.push([key, field, value]);
  }

  step(...words: readonly (string | number)[]): void {
    put(this.#steps, words);
  }

  /** A step in a register. */
  aside(register: string, ...words: readonly (string | number)[]): void {
    let steps = this.#asides.get(register);
    if (steps === undefined) {
      steps = [];
      this.#asides.set(register, steps);
    }
    put(steps, words);
  }

  get asides(): ReadonlyMap<string, StepWords> {
    return this.#asides;
  }

  /** Adds to the end of a list. */
  push(key: string, elements: readonly string[]): void {
    for (let at = 0; at < elements.length; at += pushedAtOnce) {
      this.step('RPUSH', key, ...elements.slice(at, at + pushedAtOnce));
    }
  }

  /** Without what lies beside. */
  get words(): string[] {
    const [only] = this.#claims;
    if (only !== undefined && this.#claims.length === 1) this.#checks.push('claim', ...only);
    else {
      for (const [key = '', field = '', value = ''] of this.#claims) {
        this.check('absent', key, field, '');
        this.step('HSET', key, field, value);
      }
    }
    this.#claims.length = 0;
    return [String(this.#checks.length / 4), ...this.#checks, ...this.#steps];
  }
}

function put(steps: string[], words: readonly (string | number)[]): void {
  steps.push(String(words.length));
  for (const word of words) steps.push(String(word));
}

/** Past 2^53 a number would be written with an exponent. */
export function integer(n: number): string {
  return Number.isSafeInteger(n) ? String(n) : BigInt(Math.round(n)).toString();
}

/** What a claim adds, as it stands in the owner's register until it is known what became of it. */
export function reservation(name: string, { opens, spends }: OwnerClaim): string {
  return `${opens} ${integer(spends)} ${name}`;
}

/** What reservations add to what an owner has open, and has spent. */
export function readReserved(members: readonly string[]): {
  readonly open: number;
  readonly spent: number;
} {
  let open = 0;
  let spent = 0;
  for (const member of members) {
    const [opens, spends] = member.split(' ');
    open += Number(opens);
    spent += Number(spends);
  }
  return { open, spent };
}
