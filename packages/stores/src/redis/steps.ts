/** Lua hands on no more than some 8,000 words at a time. */
const pushedAtOnce = 1_000;

/** A flush on its way to the script: what is checked, and what is then written. */
export class FlushSteps {
  readonly #checks: string[] = [];
  readonly #steps: string[] = [];
  readonly #claims: string[][] = [];

  check(kind: 'version' | 'equal' | 'absent', key: string, field: string, value: string): void {
    this.#checks.push(kind, key, field, value);
  }

  /** A field that must not be there yet, and is set. */
  claim(key: string, field: string, value: string): void {
    this.#claims.push([key, field, value]);
  }

  step(...words: readonly (string | number)[]): void {
    this.#steps.push(String(words.length));
    for (const word of words) this.#steps.push(String(word));
  }

  /** Adds to the end of a list. */
  push(key: string, elements: readonly string[]): void {
    for (let at = 0; at < elements.length; at += pushedAtOnce) {
      this.step('RPUSH', key, ...elements.slice(at, at + pushedAtOnce));
    }
  }

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

/** Past 2^53 a number would be written with an exponent. */
export function integer(n: number): string {
  return Number.isSafeInteger(n) ? String(n) : BigInt(Math.round(n)).toString();
}
