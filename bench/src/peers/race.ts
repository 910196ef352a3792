import { makeTurns, type PeerConversation } from './peer.ts';

/** What one of two callers reports about its turns. */
export interface Raced {
  /** The ids of the turns that were answered as added. */
  readonly added: readonly string[];
  /** What the others were refused with, by how often. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Adds turns one after another and keeps what was answered. */
export async function race(
  conversation: PeerConversation,
  who: string,
  count: number,
): Promise<Raced> {
  const added: string[] = [];
  const errors: Record<string, number> = {};
  for (const turn of makeTurns(0, count, who)) {
    try {
      await conversation.add(turn);
      added.push(turn.id);
    } catch (error) {
      const { code, message } = error as { code?: unknown; message?: unknown };
      const name = String(code ?? message).slice(0, 60);
      errors[name] = (errors[name] ?? 0) + 1;
    }
  }
  return { added, errors };
}
