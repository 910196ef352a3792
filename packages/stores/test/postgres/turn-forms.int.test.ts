import { createSessions, InMemorySessionStore, type SessionStore } from '@lexigram/ai-session';
import { PostgresSessionStore } from '@lexigram/ai-session-stores';
import { expect, it, onTestFinished } from 'vitest';
import { temporarySchema } from '../kit/postgres-schema.ts';

/** A turn that is written in one form or another: with or without an id and a time, alone or with others. */
interface Form {
  readonly count: number;
  readonly hasId: boolean;
  readonly hasTime: boolean;
}

const forms: readonly Form[] = [1, 2, 5].flatMap((count) =>
  [false, true].flatMap((hasId) => [false, true].map((hasTime) => ({ count, hasId, hasTime }))),
);
const texts = ['plain', 'quotes " and \\ and {braces}, "', 'new\nline\u001f', '多言語 🙂 ʼ', ''];

/** Writes turns in each form, several at once in each way, and answers what is stored. */
async function write(store: SessionStore, interval: number | null): Promise<readonly unknown[]> {
  const { manager } = await createSessions(
    { autoCheckpointInterval: interval, maxCheckpointsPerSession: 3 },
    { store },
  );
  const { sessionId } = await manager.create({ userId: 'u', sessionId: `s${interval}` });
  let n = 0;
  const turn = ({ hasId, hasTime }: Form) => {
    n += 1;
    return {
      ...(hasId ? { turnId: `${n}, "{\\id}"` } : {}),
      ...(hasTime ? { timestamp: `2024-01-01T00:00:0${n % 10}.000Z` } : {}),
      role: 'user',
      content: texts[n % texts.length] as string,
      usage: { inputTokens: n, outputTokens: 1 },
    } as const;
  };
  for (const form of forms) {
    const turns = Array.from({ length: form.count }, () => turn(form));
    await manager.addTurns(sessionId, turns);
    await Promise.all(
      Array.from({ length: form.count }, () => manager.addTurn(sessionId, turn(form))),
    );
  }
  const all = [{ timelineId: `${sessionId}.1`, from: 1, to: 1_000 }];
  const rows = await store.turns(all, { limit: 1_000, order: 'asc' });
  expect(rows).toHaveLength(2 * forms.reduce((sum, { count }) => sum + count, 0));
  const marks = await store.records(sessionId, 'checkpoint', { limit: 10 });
  const session = await store.session(sessionId, undefined);
  // Ids that nobody gave are another one in each store.
  const unnamed = (text: string): string => text.replaceAll(/\b0[0-9A-Za-z]{19}\b/g, 'made');
  return JSON.parse(unnamed(JSON.stringify([rows, marks, session])));
}

it.each([null, 1, 2])(
  'turns of every form are stored as in memory, with a checkpoint every %s',
  async (interval) => {
    let now = 1_700_000_000_000;
    const clock = (): number => now;
    const { place } = await temporarySchema();
    const { searchParams } = new URL(place);
    const url = new URL(place);
    url.search = '';
    const store = await PostgresSessionStore.open(url.href, {
      schema: searchParams.get('schema') ?? '',
      clock,
    });
    onTestFinished(() => store.close());
    const stored = await write(store, interval);
    now = 1_700_000_000_000;
    expect(stored).toEqual(await write(new InMemorySessionStore({ clock }), interval));
  },
);
