import type { SessionTurn } from './turn.ts';

/**
 * Whether an agent sees a turn: `visibleTo` names all that do; without it, `hiddenFrom` names those that do not.
 * Nobody in particular (`undefined`) sees everything.
 */
export function isVisible(
  turn: Pick<SessionTurn, 'visibleTo' | 'hiddenFrom'>,
  viewer: string | undefined,
): boolean {
  if (viewer === undefined) return true;
  if (turn.visibleTo !== undefined) return turn.visibleTo.includes(viewer);
  return turn.hiddenFrom === undefined || !turn.hiddenFrom.includes(viewer);
}
