import assert from 'node:assert/strict';
import type {
  Page,
  PageOptions,
  SessionState,
  SessionStore,
  Sessions,
  SessionTurn,
  TurnInput,
  TurnsOptions,
} from '@lexigram/ai-session';
import type { FeedItem, RecordRow } from '@lexigram/ai-session/store';

/** The services that an owner has: all of `Sessions`, or those of `as(owner)`. */
export type Manager = Pick<Sessions['manager'], 'addTurn' | 'addTurns' | 'turns' | 'getState'>;

/** A user's turn that says `text`. */
export function say(text: string, more: Partial<TurnInput> = {}): TurnInput {
  return { role: 'user', content: text, ...more };
}

/** Adds a turn for each text, one after another. */
export async function addTexts(
  manager: Manager,
  sessionId: string,
  texts: readonly string[],
): Promise<readonly SessionTurn[]> {
  const turns: SessionTurn[] = [];
  for (const text of texts) turns.push((await manager.addTurn(sessionId, say(text))).turn);
  return turns;
}

/** The texts `t1` to `tn`. */
export function texts(count: number, prefix = 't'): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
}

/** A new session of user `u` with the turns `t1` to `tn`. */
export async function sessionOf(sessions: Sessions, count = 0): Promise<SessionState> {
  const { sessionId } = await sessions.manager.create({ userId: 'u' });
  await addTexts(sessions.manager, sessionId, texts(count));
  return sessions.manager.getState(sessionId);
}

export async function turnsOf(
  manager: Manager,
  sessionId: string,
  options?: TurnsOptions,
): Promise<readonly SessionTurn[]> {
  const turns: SessionTurn[] = [];
  for await (const turn of manager.turns(sessionId, options)) turns.push(turn);
  return turns;
}

/** What the turns of a session's history say, in order; asserts that their seqs are 1, 2, 3 … */
export async function textsOf(manager: Manager, sessionId: string): Promise<readonly unknown[]> {
  const turns = await turnsOf(manager, sessionId);
  assert.deepEqual(
    turns.map(({ seq }) => seq),
    turns.map((_, i) => i + 1),
    'seqs have no gap',
  );
  return turns.map(({ content }) => content);
}

/** All items of a list, read in pages of `limit`. */
export async function allOf<T>(
  list: (page: PageOptions) => Promise<Page<T>>,
  limit: number,
): Promise<readonly T[]> {
  const items: T[] = [];
  const seen = new Set<string>();
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: Page<T> = await list({ limit, ...(cursor === undefined ? {} : { cursor }) });
    assert.ok(page.items.length <= limit, 'a page has at most as many items as asked for');
    assert.ok(
      page.nextCursor === null || page.items.length > 0,
      'a page that is not the last has items',
    );
    items.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === null) continue;
    assert.ok(!seen.has(cursor), 'each page has another cursor');
    seen.add(cursor);
  }
  return items;
}

/** A session's whole feed. */
export async function feedOf(store: SessionStore, sessionId: string): Promise<readonly FeedItem[]> {
  return store.feed(sessionId, { after: 0, limit: 1_000 });
}

/** The same but for how many timelines were opened, out of sight or not. */
export async function visiblePicture(store: SessionStore, sessionId: string): Promise<unknown> {
  const { session, ...more } = (await picture(store, sessionId)) as { readonly session: object };
  return { ...more, session: { ...session, timelines: null } };
}

/** All that a session shows of itself at the port, to compare before and after. */
export async function picture(store: SessionStore, sessionId: string): Promise<unknown> {
  const session = await store.session(sessionId);
  const records = async (kind: string): Promise<readonly RecordRow[]> =>
    store.records(sessionId, kind, { limit: 1_000 });
  return {
    session,
    variables: session?.variables ? await store.variables(session.variables) : null,
    checkpoints: await records('checkpoint'),
    moves: await records('move'),
    metadata: await records('metadata'),
    feed: await feedOf(store, sessionId),
  };
}
