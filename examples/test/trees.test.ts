import { join } from 'node:path';
import { createSessions, InMemorySessionStore, type Sessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { expect, it } from 'vitest';
import { type Conversation, readConversations } from '../src/conversations/read.ts';

// The project's own selection, or any other directory in the same format.
const directory = process.env['CONVERSATIONS_DIR'] ?? join(import.meta.dirname, '..', 'data');

type Turn = Conversation['turns'][number];

/** What follows each turn, in log order; under null what begins the conversation. */
function childrenOf(turns: readonly Turn[]): ReadonlyMap<string | null, readonly Turn[]> {
  const children = new Map<string | null, Turn[]>();
  for (const turn of turns) {
    const list = children.get(turn.parent) ?? [];
    children.set(turn.parent, [...list, turn]);
  }
  return children;
}

/** A session for the first path, and a branch for each alternative; answers the session of each leaf. */
async function record(
  { branches, manager }: Sessions,
  turns: readonly Turn[],
): Promise<ReadonlyMap<string, string>> {
  const children = childrenOf(turns);
  const leaves = new Map<string, string>();
  const { sessionId } = await manager.create({ userId: 'u' });
  const open: { readonly sessionId: string; readonly from: Turn | null }[] = [
    { sessionId, from: null },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { sessionId: id } = next;
    let at = next.from;
    for (;;) {
      const [first, ...others] = children.get(at?.turn.turnId ?? null) ?? [];
      if (first === undefined) break;
      for (const other of others) {
        const { turnId } = other.turn;
        const place = at === null ? { atSeq: 0 } : { atTurn: at.turn.turnId };
        const branch = await branches.fork(id, turnId, place);
        await manager.addTurn(branch.sessionId, other.turn);
        open.push({ sessionId: branch.sessionId, from: other });
      }
      await manager.addTurn(id, first.turn);
      at = first;
    }
    if (at !== null) leaves.set(at.turn.turnId, id);
  }
  return leaves;
}

const config = {
  sessionTtl: 0,
  maxTurnsPerSession: 100_000,
  maxBranchesPerSession: 1_000,
  maxSessionsPerUser: 1_000,
};

const stores = {
  memory: async () => new InMemorySessionStore(),
  SQLite: async () => SqliteSessionStore.open(':memory:'),
};

it.each(Object.entries(stores))(
  'in %s each leaf of a real tree has its path as its history, and each turn its siblings',
  async (_, openStore) => {
    const store = await openStore();
    const sessions = await createSessions(config, { store });
    const { manager } = sessions;
    let trees = 0;
    for await (const { id, tree, turns } of readConversations(directory, {
      files: ['trees.jsonl'],
    })) {
      expect(tree, id).toBe(true);
      const children = childrenOf(turns);
      const byId = new Map(turns.map((turn) => [turn.turn.turnId, turn]));
      const leaves = await record(sessions, turns);
      const ends = turns.filter(({ turn }) => !children.has(turn.turnId));
      expect([...leaves.keys()].sort(), id).toEqual(ends.map(({ turn }) => turn.turnId).sort());
      const asked = new Set<string>();
      for (const [leaf, sessionId] of leaves) {
        const path: Turn[] = [];
        for (let at = byId.get(leaf); at !== undefined; at = byId.get(at.parent ?? '')) {
          path.unshift(at);
        }
        const { turns: history } = await manager.getState(sessionId, { turns: 'all' });
        expect(history.map(({ turnId }) => turnId)).toEqual(path.map(({ turn }) => turn.turnId));
        expect(history.map(({ content }) => content)).toEqual(path.map(({ turn }) => turn.content));
        for (const { parent, turn } of path) {
          if (asked.has(turn.turnId)) continue;
          asked.add(turn.turnId);
          const { items } = await manager.siblings(sessionId, turn.turnId, { limit: 1_000 });
          expect(items.map(({ turnId }) => turnId).sort(), `${id} ${turn.turnId}`).toEqual(
            (children.get(parent) ?? []).map((child) => child.turn.turnId).sort(),
          );
        }
      }
      trees += 1;
    }
    expect(trees).toBeGreaterThan(9);
    await store.close();
  },
);
