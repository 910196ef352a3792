import type { SessionTurn } from '../session/turn.ts';

/** A turn on its way into memory, with whose it is and where it was said. */
export interface MemoryEntry {
  readonly sessionId: string;
  readonly tenantId: string | null;
  readonly userId: string;
  /** With its `seq`, its role, and who may see it. */
  readonly turn: SessionTurn;
}
