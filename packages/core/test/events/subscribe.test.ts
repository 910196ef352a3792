import { describe, expect, it } from 'vitest';
import { createSessions, type Sessions } from '../../src/create-sessions.ts';
import {
  SessionInputError,
  SessionNotFoundError,
  SessionStoreUnavailableError,
} from '../../src/errors.ts';
import type { SessionEvent } from '../../src/events/session-event.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import { short, take } from './reading.ts';

const say = (content: string) => ({ role: 'user' as const, content });

async function start(sessions: Sessions, userId = 'u'): Promise<string> {
  return (await sessions.manager.create({ userId })).sessionId;
}

async function addTexts(sessions: Sessions, id: string, ...texts: string[]): Promise<void> {
  for (const text of texts) await sessions.manager.addTurn(id, say(text));
}

describe('events.subscribe', () => {
  it('begins with now, waits, and is woken by the next change', async () => {
    await using sessions = await createSessions();
    const id = await start(sessions);
    await addTexts(sessions, id, 'before');
    const one = sessions.events.subscribe({ sessionId: id });
    const user = sessions.events.subscribe({ userId: 'u' });
    const all = sessions.events.subscribe();
    await Promise.all([one.start, user.start, all.start]);
    const waiting = [one, user, all].map((subscription) => take(subscription, 2));
    await start(sessions, 'somebody else').then((other) => addTexts(sessions, other, 'x'));
    await addTexts(sessions, id, 'a', 'b');
    const [ofOne, ofUser, ofAll] = await Promise.all(waiting);
    expect(ofOne?.map(short)).toEqual(['3 turn a', '4 turn b']);
    expect(ofUser?.map(short)).toEqual(['3 turn a', '4 turn b']);
    expect(ofAll?.map(short)).toEqual(['1 created', '2 turn x']);
  });

  it('goes on after each cursor, with what came after and only that', async () => {
    await using sessions = await createSessions({ autoCheckpointInterval: 2 });
    const first = sessions.events.subscribe({ userId: 'u' });
    const begin = await first.start;
    const id = await start(sessions);
    await addTexts(sessions, id, 'a', 'b');
    await sessions.manager.addTurns(id, [say('c'), say('d'), say('e')]);
    await sessions.manager.edit(id, (await sessions.manager.getState(id)).head.turnId ?? '', 'E');
    await sessions.manager.close(id);
    const whole = (await take(first, 11)) as readonly SessionEvent[];
    expect(whole.at(-1)?.type).toBe('closed');
    const again = sessions.events.subscribe({ userId: 'u', after: begin });
    expect(await take(again, whole.length)).toEqual(whole);
    for (const [i, { cursor }] of whole.entries()) {
      expect(cursor.length).toBeLessThanOrEqual(128);
      const resumed = sessions.events.subscribe({ userId: 'u', after: cursor });
      expect(await take(resumed, whole.length - i - 1)).toEqual(whole.slice(i + 1));
      await resumed.return();
    }
    const session = sessions.events.subscribe({ sessionId: id });
    const now = await session.start;
    await sessions.manager.delete(id);
    expect((await take(session, 1)).map(short)).toEqual(['7 deleted']);
    expect(await session.next()).toEqual({ done: true, value: undefined });
    await expect(sessions.events.subscribe({ sessionId: id, after: now }).next()).rejects.toThrow(
      SessionNotFoundError,
    );
  });

  it('leaves nothing out that is written while it reads, page after page', async () => {
    const config = { maxTurnsPerSession: 2_000, autoCheckpointInterval: null };
    await using sessions = await createSessions(config);
    const ids = [await start(sessions), await start(sessions)];
    const one = sessions.events.subscribe({ sessionId: ids[0] as string });
    const all = sessions.events.subscribe();
    await Promise.all([one.start, all.start]);
    const writing = (async () => {
      for (let n = 0; n < 40; n++) {
        for (const id of ids) {
          await sessions.manager.addTurns(
            id,
            Array.from({ length: 1 + (n % 9) }, (_, i) => say(`${n}.${i}`)),
          );
        }
      }
    })();
    const count = 4 * 45 + 1 + 2 + 3 + 4;
    const [ofOne] = await Promise.all([take(one, count), writing]);
    expect(ofOne).toHaveLength(count);
    const ofAll = (await take(all, 2 * count)) as readonly SessionEvent[];
    for (const id of ids) {
      const own = ofAll.filter(({ sessionId }) => sessionId === id);
      expect(own.map(short)).toEqual(ofOne.map(short));
    }
  });

  it('reads a change of more items than a page, and goes on inside it', async () => {
    await using sessions = await createSessions({ maxTurnsPerSession: 2_000 });
    const id = await start(sessions);
    const subscription = sessions.events.subscribe({ sessionId: id });
    await subscription.start;
    const batch = Array.from({ length: 100 }, (_, i) => say(`${i}`));
    await sessions.manager.addTurns(id, batch);
    const events = await take(subscription, 100 + 10);
    const waiting = subscription.next();
    await addTexts(sessions, id, 'after');
    expect(short((await waiting).value as SessionEvent)).toBe('3 turn after');
    const middle = sessions.events.subscribe({ sessionId: id, after: events[50]?.cursor });
    expect((await take(middle, 60)).map(short)).toEqual([
      ...events.slice(51).map(short),
      '3 turn after',
    ]);
  });

  it('ends by its signal, by return, by break and by close, also while it waits', async () => {
    const sessions = await createSessions();
    const id = await start(sessions);
    const abort = new AbortController();
    const aborted = sessions.events.subscribe({ sessionId: id, signal: abort.signal });
    const returned = sessions.events.subscribe({ userId: 'u' });
    const closed = sessions.events.subscribe();
    const waiting = [aborted.next(), returned.next(), closed.next()];
    await closed.start;
    abort.abort(new Error('enough'));
    await expect(waiting[0]).rejects.toThrow('enough');
    expect(await aborted.next()).toEqual({ done: true, value: undefined });
    await returned.return();
    expect(await waiting[1]).toEqual({ done: true, value: undefined });
    const late = sessions.events.subscribe({ signal: AbortSignal.abort(new Error('before')) });
    await expect(late.next()).rejects.toThrow('before');
    const broken = sessions.events.subscribe({ sessionId: id });
    await broken.start;
    await addTexts(sessions, id, 'a');
    for await (const event of broken) {
      expect(short(event)).toBe('2 turn a');
      break;
    }
    expect(await broken.next()).toEqual({ done: true, value: undefined });
    expect((await waiting[2])?.value).toMatchObject({ type: 'turn' });
    const last = closed.next();
    await sessions.close();
    expect(await last).toEqual({ done: true, value: undefined });
  });

  it('shows each owner its own only', async () => {
    await using sessions = await createSessions();
    const ada = sessions.as({ userId: 'ada', tenantId: 'acme' });
    const { sessionId } = await ada.manager.create();
    const subscription = ada.events.subscribe();
    const own = ada.events.subscribe({ sessionId });
    await Promise.all([subscription.start, own.start]);
    const cursor = await own.start;
    for (const owner of [{ userId: 'ada' }, { userId: 'bob', tenantId: 'acme' }]) {
      const foreign = sessions.as(owner).events.subscribe({ sessionId });
      await expect(foreign.next()).rejects.toThrow(SessionNotFoundError);
      await expect(foreign.start).rejects.toThrow(SessionNotFoundError);
      const resumed = sessions.as(owner).events.subscribe({ sessionId, after: cursor });
      await expect(resumed.next()).rejects.toThrow(SessionNotFoundError);
      const { sessionId: other } = await sessions.as(owner).manager.create();
      await sessions.as(owner).manager.addTurn(other, say('foreign'));
    }
    await ada.manager.addTurn(sessionId, say('own'));
    expect((await take(subscription, 1)).map(short)).toEqual(['2 turn own']);
    const subscribe = ada.events.subscribe.bind(ada.events) as (options: object) => unknown;
    expect(() => subscribe({ userId: 'bob' })).toThrow(SessionInputError);
  });

  it('says reset when the window has passed what came after a cursor, and goes on', async () => {
    const time = { now: Date.parse('2026-03-01T00:00:00Z') };
    const store = new InMemorySessionStore({ clock: () => time.now });
    await using sessions = await createSessions({ sessionTtl: 0 }, { store });
    const all = sessions.events.subscribe();
    const begin = await all.start;
    const id = await start(sessions);
    const session = sessions.events.subscribe({ sessionId: id });
    const own = await session.start;
    await addTexts(sessions, id, 'a');
    await sessions.manager.suspend(id);
    await sessions.manager.resume(id);
    await addTexts(sessions, id, 'b');
    const [, a] = (await take(all, 3)) as readonly SessionEvent[];
    time.now += 90_000_000;
    await store.collect({ before: time.now - 86_400_000, limit: 100 });
    await addTexts(sessions, id, 'c');

    for (const after of [begin, a?.cursor]) {
      const old = sessions.events.subscribe({ after });
      const [reset, ...rest] = await take(old, 3);
      expect(reset).toMatchObject({ type: 'reset', sessionId: null, revision: null });
      expect(rest.map(short)).toEqual(['5 turn b', '6 turn c']);
      const again = sessions.events.subscribe({ after: reset?.cursor });
      expect(await take(again, 2)).toEqual(rest);
    }
    const old = sessions.events.subscribe({ sessionId: id, after: own });
    const told = await take(old, 4);
    expect(told.map(short)).toEqual(['2 turn a', '4 reset', '5 turn b', '6 turn c']);
    // Read on all along: it had not read yet what was dropped.
    expect((await take(session, 4)).map(short)).toEqual(told.map(short));
    const resumed = sessions.events.subscribe({ sessionId: id, after: told[2]?.cursor });
    expect((await take(resumed, 1)).map(short)).toEqual(['6 turn c']);
  });

  it('says reset when another thing stands where its cursor was, or nothing that far', async () => {
    const store = new InMemorySessionStore();
    await using sessions = await createSessions({}, { store });
    const make = async (texts: readonly string[]): Promise<void> => {
      await sessions.manager.create({ userId: 'u', sessionId: 's' });
      await addTexts(sessions, 's', ...texts);
    };
    // A store that lost its tail and went on: the same id, the same revisions, other turns.
    const all = sessions.events.subscribe();
    await make(['a', 'b', 'c']);
    const before = (await take(all, 4)) as readonly SessionEvent[];
    const other = new InMemorySessionStore();
    const again = await createSessions({}, { store: other });
    await again.manager.create({ userId: 'u', sessionId: 's' });
    await again.manager.addTurn('s', { ...say('a'), turnId: tagged(before[1]) });
    await addTexts(again, 's', 'other');
    const fits = again.events.subscribe({ after: before[1]?.cursor });
    expect((await take(fits, 1)).map(short)).toEqual(['3 turn other']);
    for (const event of before.slice(2)) {
      const lost = again.events.subscribe({ after: event.cursor });
      expect((await take(lost, 1)).map(({ type }) => type)).toEqual(['reset']);
    }
    const own = (event: SessionEvent | undefined): string =>
      `s~${(event?.revision ?? 0).toString(36)}~${tagged(event)}`;
    const place = again.events.subscribe({ sessionId: 's', after: own(before[1]) });
    expect((await take(place, 1)).map(short)).toEqual(['3 turn other']);
    const lost = again.events.subscribe({ sessionId: 's', after: own(before[2]) });
    expect((await take(lost, 1)).map(short)).toEqual(['3 reset']);
    await addTexts(again, 's', 'on');
    expect((await take(lost, 1)).map(short)).toEqual(['4 turn on']);
    const far = again.events.subscribe({ sessionId: 's', after: 's~zz~x' });
    expect((await take(far, 1)).map(short)).toEqual(['4 reset']);
    await again.close();
  });

  it('refuses cursors of other kinds, and what it does not know', async () => {
    await using sessions = await createSessions();
    const id = await start(sessions);
    const one = await sessions.events.subscribe({ sessionId: id }).start;
    const all = await sessions.events.subscribe().start;
    const subscribe = sessions.events.subscribe.bind(sessions.events) as (o: unknown) => unknown;
    const refused: readonly unknown[] = [
      { sessionId: id, after: all },
      { after: one },
      { after: '' },
      { after: 7 },
      { after: 'p~1~2' },
      { after: `p~1~${'2'.repeat(300)}~x` },
      { sessionId: id, after: 's~zzzzzzzzzzzzz~x' },
      { sessionId: id, userId: 'u' },
      { sessionId: 'a b' },
      { sessionId: null },
      { userId: '' },
      { userId: 'u', tenantId: 3 },
      { tenantId: 'acme' },
      { signal: {} },
      { from: 'now' },
      7,
      null,
    ];
    for (const options of refused) {
      expect(() => subscribe(options), JSON.stringify(options)).toThrow(SessionInputError);
    }
    await expect(sessions.events.subscribe({ sessionId: 'unknown' }).next()).rejects.toThrow(
      SessionNotFoundError,
    );
  });

  it('tells when the store is closed under it', async () => {
    const store = new InMemorySessionStore();
    const sessions = await createSessions({}, { store });
    const subscription = sessions.events.subscribe();
    await subscription.start;
    await store.close();
    await expect(subscription.next()).rejects.toThrow(SessionStoreUnavailableError);
    await sessions.close();
    expect(() => sessions.events.subscribe()).toThrow(SessionStoreUnavailableError);
  });
});

function tagged(event: SessionEvent | undefined): string {
  return event?.type === 'turn' ? event.turn.turnId : '';
}
