import type { Look } from './screen.ts';
import { count, cut, oneLine, widthOf } from './text.ts';

/** A session and its branches, as a tree is drawn from it. */
export interface Family {
  /** The name of the branch; of the root session its title. */
  readonly name: string;
  readonly turnCount: number;
  /** How many of the turns it shares with the session that it was forked from; null for the root. */
  readonly forkSeq: number | null;
  /** What its own part begins with, for people. */
  readonly opening: string;
  readonly branches: readonly Family[];
}

/** How many sessions a family has, the root included. */
function familySize(family: Family): number {
  return family.branches.reduce((sum, branch) => sum + familySize(branch), 1);
}

/**
 * A family as lines: below each session its branches in the order in which they fork, with the turn after which
 * they do and how many turns of their own they have.
 */
export function drawTree(
  family: Family,
  look: Look & { readonly maxLines?: number | undefined },
): string[] {
  const { maxLines = 40, paint, width } = look;
  const lines: string[] = [];
  const turns = `  ${count(family.turnCount, 'turn')}`;
  const root = cut(oneLine(family.name), Math.max(8, width - turns.length));
  lines.push(paint('bold', root) + turns);
  drawBranches(family, '', look, lines);
  if (lines.length <= maxLines) return lines;
  const rest = count(familySize(family) - maxLines + 1, 'more branch', 'more branches');
  return [...lines.slice(0, maxLines - 1), cut(`⋮ and ${rest}`, width)];
}

function drawBranches(
  { branches }: Family,
  indent: string,
  { paint, width }: Look,
  lines: string[],
): void {
  const sorted = [...branches].sort(
    (a, b) => (a.forkSeq ?? 0) - (b.forkSeq ?? 0) || byName(a.name, b.name),
  );
  for (const [i, branch] of sorted.entries()) {
    const last = i === sorted.length - 1;
    const { forkSeq, opening, turnCount } = branch;
    const stem = `${indent}${last ? '└─' : '├─'} `;
    const place = forkSeq === 0 ? 'from the start' : `after turn ${forkSeq}`;
    const own = turnCount - (forkSeq ?? 0);
    const name = cut(oneLine(branch.name), Math.max(8, width - widthOf(stem)));
    const facts = `  ${place}, +${count(own, 'turn')}`;
    const left = width - widthOf(stem) - widthOf(name);
    const said = opening === '' ? '' : `  ${oneLine(opening)}`;
    const shownFacts = cut(facts, left);
    const leftForWords = left - widthOf(shownFacts);
    const words = leftForWords > 14 ? cut(said, leftForWords) : '';
    lines.push(
      paint('dim', stem) + paint('cyan', name) + shownFacts + (words && paint('dim', words)),
    );
    drawBranches(branch, `${indent}${last ? '   ' : '│  '}`, { paint, width }, lines);
  }
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
