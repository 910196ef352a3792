import type { SessionTurn, TurnInput } from '../../src/session/turn.ts';

/** Turns with ids t1, t2, … as a session would have stored them. */
export function turnsOf(...inputs: readonly TurnInput[]): readonly SessionTurn[] {
  return inputs.map((input, i) => ({
    turnId: `t${i + 1}`,
    timestamp: '2026-01-01T00:00:00.000Z',
    ...input,
    seq: i + 1,
  }));
}
