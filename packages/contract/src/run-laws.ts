import assert from 'node:assert/strict';
import { laws } from './all-laws.ts';
import { onBench } from './bench.ts';
import type { Deviation, Law, OpenStore } from './law.ts';

export interface LawOptions {
  /** Laws that this store does not keep, each with its reason and what holds instead. */
  readonly deviations?: readonly Deviation[] | undefined;
  /** Only these laws, by id or by group (`append`). */
  readonly only?: readonly string[] | undefined;
  /** Full counts for laws that loop; without it as LEX_TEST_SCALE says. */
  readonly full?: boolean | undefined;
}

export interface LawResult {
  readonly law: Law;
  /** `deviates`: declared, and what holds instead was proved. */
  readonly outcome: 'kept' | 'deviates' | 'broken';
  /** Why it is broken. */
  readonly error?: unknown;
}

/**
 * Runs the laws on a store, each on a fresh one, one after another.
 *
 * @throws Error if a deviation or `only` names a law that does not exist
 */
export async function runLaws(
  open: OpenStore,
  options: LawOptions = {},
): Promise<readonly LawResult[]> {
  const unknown = unknownNames(options);
  if (unknown.length > 0) throw new Error(unknown.join('\n'));
  const results: LawResult[] = [];
  for (const law of chosenLaws(options)) {
    const outcome = deviationOf(law, options) === undefined ? 'kept' : 'deviates';
    try {
      await checkLaw(law, open, options);
      results.push({ law, outcome });
    } catch (error) {
      results.push({ law, outcome: 'broken', error });
    }
  }
  return results;
}

/** The laws that `only` leaves. */
export function chosenLaws({ only }: LawOptions): readonly Law[] {
  if (only === undefined) return laws;
  return laws.filter(({ id }) => only.some((name) => isNamed(id, name)));
}

/** What is wrong with the names in the options. */
export function unknownNames({ deviations = [], only = [] }: LawOptions): readonly string[] {
  const ids = new Set(laws.map(({ id }) => id));
  const named = deviations.map(({ law }) => law);
  return [
    ...named.filter((id) => !ids.has(id)).map((id) => `A deviation names no law: '${id}'`),
    ...named
      .filter((id, i) => named.indexOf(id) < i)
      .map((id) => `Two deviations name one law: '${id}'`),
    ...only
      .filter((name) => !laws.some(({ id }) => isNamed(id, name)))
      .map((name) => `'only' names no law: '${name}'`),
  ];
}

function isNamed(id: string, name: string): boolean {
  return id === name || id.startsWith(`${name}/`);
}

function deviationOf(law: Law, { deviations }: LawOptions): Deviation | undefined {
  return deviations?.find((deviation) => deviation.law === law.id);
}

/** Checks one law, or in its place the deviation that names it: then the law must fail. */
export async function checkLaw(law: Law, open: OpenStore, options: LawOptions = {}): Promise<void> {
  const full = options.full ?? fullCounts.has(process.env['LEX_TEST_SCALE'] ?? '');
  const deviation = deviationOf(law, options);
  if (deviation === undefined) {
    await onBench(open, full, (bench) => law.check(bench));
    return;
  }
  const kept = await onBench(open, full, (bench) => law.check(bench)).then(
    () => true,
    () => false,
  );
  assert.ok(!kept, `The deviation from '${law.id}' is stale: the store keeps this law`);
  await onBench(open, full, (bench) => deviation.holds(bench));
}

const fullCounts: ReadonlySet<string> = new Set(['full', 'chaos']);
