import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Page, PageTree } from '../../custom-store/page-tree.ts';

const key = fc.nat({ max: 400 }).map((n) => `k${n}`);
const change = fc.oneof(
  { weight: 3, arbitrary: fc.record({ key, length: fc.nat({ max: 3_000 }) }) },
  { weight: 2, arbitrary: fc.record({ key, length: fc.constant(null) }) },
);

it('a tree has the rows of a map in order, whatever is written and deleted', () => {
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 100, maxLength: 600 }),
      key,
      key,
      (changes, from, to) => {
        const tree = new PageTree(null, nothingStored);
        const map = new Map<string, string>();
        const olds: { root: string | Page | null; rows: unknown }[] = [];
        for (const [n, { key, length }] of changes.entries()) {
          if (length === null) {
            tree.delete(key);
            map.delete(key);
          } else {
            const value = `${n}${'x'.repeat(length)}`;
            tree.set(key, value);
            map.set(key, value);
          }
          if (n % 100 === 0) olds.push({ root: tree.root, rows: sorted(map) });
        }
        expect([...tree.scan('', '\uffff')]).toEqual(sorted(map));
        const inside = sorted(map).filter(([key]) => key >= from && key < to);
        expect([...tree.scan(from, to)]).toEqual(inside);
        expect([...tree.scan(from, to, true)]).toEqual(inside.toReversed());
        for (let n = 0; n <= 400; n++) expect(tree.get(`k${n}`)).toBe(map.get(`k${n}`));
        if (tree.root !== null) checkPage(tree.root as Page);
        // Whoever has an old root reads what was there.
        for (const { root, rows } of olds) {
          expect([...new PageTree(root, nothingStored).scan('', '\uffff')]).toEqual(rows);
        }
        for (const key of map.keys()) tree.delete(key);
        expect(tree.root).toBeNull();
      },
    ),
    { numRuns: 50, seed: 20_261_123 },
  );
});

function nothingStored(name: string): Page {
  throw new Error(`no page ${name} was stored`);
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Each page is in order, not too long, and one level above those below it. */
function checkPage(page: Page): void {
  expect(page.keys).toEqual(page.keys.toSorted());
  expect(page.keys.length).toBeGreaterThan(0);
  if (page.level === 0) {
    const length = page.values.reduce((sum, value) => sum + (value as string).length, 0);
    expect(page.keys.length === 1 || length <= 4_096).toBe(true);
    return;
  }
  for (const [at, below] of (page.values as Page[]).entries()) {
    expect(below.level).toBe(page.level - 1);
    expect((page.keys[at] as string) <= (below.keys[0] as string)).toBe(true);
    checkPage(below);
  }
}
