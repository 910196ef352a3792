import { join } from 'node:path';
import {
  createSessions,
  InMemorySessionStore,
  type SessionStore,
  type Sessions,
} from '@lexigram/ai-session';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Conversation, readConversations } from '../src/conversations/read.ts';
import { importConversations } from '../src/tour/import-conversations.ts';
import { lifeConversation, lifeId, live } from '../src/tour/live.ts';
import { pictureOf } from './picture.ts';

const data = join(import.meta.dirname, '..', 'data');
const tree = 'oasst-be09f381-fa12-464b-82c5-3724eb3a2a81';
const day = 24 * 3_600_000;

let told: Conversation;
let forked: Conversation;

beforeAll(async () => {
  for await (const conversation of readConversations(data)) {
    if (conversation.id === lifeConversation) told = conversation;
    if (conversation.id === tree) forked = conversation;
  }
});

class Crash extends Error {}

/** A store that fails at its n-th write, before or after it is done, and at each one after that. */
function crashing(store: SessionStore, nth: number, when: 'before' | 'after'): SessionStore {
  let writes = 0;
  const write = async <T>(work: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes > nth || (writes === nth && when === 'before')) throw new Crash();
    const answer = await work();
    if (writes >= nth) throw new Crash();
    return answer;
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === 'commit' || name === 'create') {
        return (...args: never[]) => write(() => Reflect.apply(target[name], target, args));
      }
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

type Work = (sessions: Sessions) => Promise<unknown>;

function over(store: SessionStore): Promise<Sessions> {
  return createSessions({ sessionTtl: 0, maxBranchesPerSession: 100 }, { store });
}

/** Runs `work` with a crash at each of its writes in turn, then again without one; the end must be the same. */
async function survivesCrashes(work: Work, laterMs: number): Promise<number> {
  const whole = await over(new InMemorySessionStore());
  await work(whole);
  const expected = await pictureOf(whole);
  for (let nth = 1; ; nth++) {
    for (const when of ['before', 'after'] as const) {
      let now = Date.UTC(2026, 0, 1);
      const store = new InMemorySessionStore({ clock: () => now });
      const crashed = await work(await over(crashing(store, nth, when))).then(
        () => false,
        (error: unknown) => {
          if (!(error instanceof Crash)) throw error;
          return true;
        },
      );
      if (!crashed) return nth - 1;
      now += laterMs;
      const sessions = await over(store);
      await work(sessions);
      expect(await pictureOf(sessions), `crash ${when} write ${nth}`).toEqual(expected);
    }
  }
}

describe.each([
  ['at once', 0],
  ['after operations are forgotten', 2 * day],
])('taken up %s, whatever write it was broken off at,', (_, laterMs) => {
  it('an import ends the same', async () => {
    const work: Work = (sessions) => importConversations(sessions, [forked]);
    expect(await survivesCrashes(work, laterMs)).toBeGreaterThan(20);
  });

  it('the life of a session ends the same', async () => {
    const work: Work = (sessions) => live(sessions, told, () => {});
    expect(await survivesCrashes(work, laterMs)).toBeGreaterThan(30);
  });
});

describe('the life of a session', () => {
  it('has all its steps, in order', async () => {
    const sessions = await over(new InMemorySessionStore());
    const steps: string[] = [];
    expect(await live(sessions, told, ({ name }) => void steps.push(name))).toBe('told now');
    expect(steps).toEqual([
      'create',
      'turns',
      'checkpoint',
      'suspend',
      'resume',
      'restore',
      'undo',
      'fork',
      'close',
    ]);
    expect(await live(sessions, told, ({ name }) => void steps.push(name))).toBe('told before');
    expect(steps).toHaveLength(9);
  });

  it('may be told by two at once', async () => {
    const one = await over(new InMemorySessionStore());
    const expected = await over(new InMemorySessionStore());
    await live(expected, told, () => {});
    await Promise.all([live(one, told, () => {}), live(one, told, () => {})]);
    expect(await pictureOf(one)).toEqual(await pictureOf(expected));
  });

  it('is not told again when it was deleted', async () => {
    const sessions = await over(new InMemorySessionStore());
    await live(sessions, told, () => {});
    await sessions.manager.delete(lifeId, { withBranches: true });
    expect(await live(sessions, told, () => {})).toBe('deleted');
  });
});

describe('an import', () => {
  it('by two at once writes each turn once', async () => {
    const [one, expected] = [
      await over(new InMemorySessionStore()),
      await over(new InMemorySessionStore()),
    ];
    await importConversations(expected, [forked]);
    const both = await Promise.all([
      importConversations(one, [forked]),
      importConversations(one, [forked]),
    ]);
    expect(await pictureOf(one)).toEqual(await pictureOf(expected));
    expect(both.reduce((sum, { written }) => sum + written, 0)).toBe(forked.turns.length);
  });

  it('leaves alone what was deleted, and what people did since', async () => {
    const sessions = await over(new InMemorySessionStore());
    const conversations = [told, forked];
    await importConversations(sessions, conversations);
    await sessions.manager.delete(forked.id, { withBranches: true });
    await sessions.manager.rewind(told.id, { toSeq: 3 });
    await sessions.manager.addTurn(told.id, { turnId: 'mine', role: 'user', content: 'Mine' });
    await sessions.manager.close(told.id);
    const before = await pictureOf(sessions);
    expect(await importConversations(sessions, conversations)).toMatchObject({
      conversations: 1,
      written: 0,
      deleted: [forked.id],
    });
    expect(await pictureOf(sessions)).toEqual(before);
  });
});
