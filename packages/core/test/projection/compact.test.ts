import { describe, expect, it } from 'vitest';
import { SessionInputError, SessionLeaseError, SessionLimitError } from '../../src/errors.ts';
import { RecencyContextPruner } from '../../src/projection/recency-pruner.ts';
import type { Summariser } from '../../src/projection/summarise.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import { open } from './open-sessions.ts';

async function talk(turns: number, store = new InMemorySessionStore()) {
  const sessions = await open(store);
  const { sessionId } = await sessions.manager.create({ userId: 'u', systemPrompt: 'Be brief.' });
  const add = async (from: number, to: number): Promise<void> => {
    for (let n = from; n <= to; n++) {
      const role = n % 2 === 1 ? 'user' : 'assistant';
      await sessions.manager.addTurn(sessionId, { turnId: `t${n}`, role, content: `number ${n}` });
    }
  };
  await add(1, turns);
  return { sessions, sessionId, add, projection: sessions.projection };
}

/** Tells which turns it was given. */
const telling: Summariser = ({ previous, turns }) =>
  [previous, ...turns.map(({ turnId }) => turnId)].filter((part) => part !== null).join(' ');
const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `t${from + i}`);

describe('a summary', () => {
  it('stands for the oldest turns, which stay', async () => {
    const { projection, sessionId, sessions } = await talk(30);
    const made = await projection.compact(sessionId, { summarise: telling, keepLast: 10 });
    expect(made).toEqual({
      summary: ids(1, 20).join(' '),
      toSeq: 21,
      toTurn: 't20',
      createdAt: expect.any(String),
    });
    expect(Object.isFrozen(made)).toBe(true);
    const shown = await projection.project(sessionId);
    expect(shown.turnIds.slice(1)).toEqual(ids(21, 30));
    expect(shown.omitted).toEqual([{ from: 2, to: 21, reason: 'summarised' }]);
    expect(shown.messages[1]?.content).toContain(ids(1, 20).join(' '));
    expect(shown.parts.summary).toBeGreaterThan(0);
    expect((await sessions.manager.getState(sessionId)).turnCount).toBe(31);
    const recent = await projection.project(sessionId, {
      pruner: new RecencyContextPruner(),
      maxTokens: 10_000,
    });
    expect(recent.messages).toEqual(shown.messages);
  });

  it('goes on from the one before, and keeps pinned turns as they are', async () => {
    const { add, projection, sessionId } = await talk(30);
    await projection.pin(sessionId, 't2');
    await projection.compact(sessionId, { summarise: telling, upTo: 't10' });
    await add(31, 40);
    const made = await projection.compact(sessionId, { summarise: telling, upTo: 31 });
    expect(made?.summary).toBe(ids(1, 30).join(' '));
    expect((await projection.project(sessionId)).turnIds.slice(1)).toEqual(['t2', ...ids(31, 40)]);
    const again = await projection.compact(sessionId, { summarise: telling, upTo: 't10' });
    expect(again).toEqual(made);
  });

  it('is not seen before its end, and comes back with an undo', async () => {
    const { projection, sessionId, sessions } = await talk(30);
    await projection.compact(sessionId, { summarise: telling, upTo: 't20' });
    const early = await sessions.branches.fork(sessionId, 'early', { atTurn: 't15' });
    const late = await sessions.branches.fork(sessionId, 'late', { atTurn: 't25' });
    const shown = async (id: string) => (await projection.project(id)).turnIds.slice(1);
    expect(await shown(early.sessionId)).toEqual(ids(1, 15));
    expect(await shown(late.sessionId)).toEqual(ids(21, 25));

    await sessions.manager.rewind(sessionId, { toTurn: 't10' });
    expect(await shown(sessionId)).toEqual(ids(1, 10));
    await sessions.manager.addTurn(sessionId, { turnId: 'new', role: 'user', content: 'new' });
    for (let n = 0; n < 15; n++) {
      await sessions.manager.addTurn(sessionId, { role: 'user', content: 'more' });
    }
    expect((await shown(sessionId)).slice(0, 11)).toEqual([...ids(1, 10), 'new']);
    await sessions.manager.undo(sessionId);
    expect(await shown(sessionId)).toEqual(ids(21, 30));
  });

  it('of a parent made after the fork is not the branch', async () => {
    const { add, projection, sessionId, sessions } = await talk(20);
    const branch = await sessions.branches.fork(sessionId, 'other');
    await add(21, 30);
    await projection.compact(sessionId, { summarise: telling, upTo: 't28' });
    expect((await projection.project(branch.sessionId)).turnIds.slice(1)).toEqual(ids(1, 20));
  });

  it('is made once by two at the same time', async () => {
    const { projection, sessionId, sessions } = await talk(30);
    let calls = 0;
    let go: () => void = () => {};
    const waits = new Promise<void>((resolve) => {
      go = resolve;
    });
    const summarise: Summariser = async (input) => {
      calls += 1;
      await waits;
      return telling(input);
    };
    const both = [
      projection.compact(sessionId, { summarise }),
      sessions.as({ userId: 'u' }).projection.compact(sessionId, { summarise }),
    ];
    await sessions.manager.addTurn(sessionId, { turnId: 'late', role: 'user', content: 'late' });
    go();
    const [one, other] = await Promise.all(both);
    expect(one).toEqual(other);
    expect(calls).toBe(1);
    expect(await sessions.store.records(sessionId, 'overlay', { limit: 9 })).toHaveLength(1);
    expect((await projection.project(sessionId)).turnIds.at(-1)).toBe('late');
  });

  it('is made by one process, and by the next when its lease has run out', async () => {
    let now = Date.now();
    const engine = new InMemorySessionStore({ clock: () => now });
    const { projection, sessionId } = await talk(30, engine);
    // Another object over the same engine is what another process is.
    const elsewhere = await open(new Proxy(engine, { get: (t, k) => bound(t, k) }));
    let asked: () => void = () => {};
    const started = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let go: (summary: string) => void = () => {};
    const slow: Summariser = () => {
      asked();
      return new Promise<string>((resolve) => {
        go = resolve;
      });
    };
    const first = projection.compact(sessionId, { summarise: slow, leaseMs: 600_000 });
    await started;
    await expect(elsewhere.projection.compact(sessionId, { summarise: telling })).rejects.toThrow(
      SessionLeaseError,
    );
    const auto = await elsewhere.projection.project(sessionId, { compact: { past: 1 } });
    expect(auto.parts.summary).toBe(0);

    now += 600_001;
    const made = await elsewhere.projection.compact(sessionId, { summarise: telling });
    expect(made?.summary).toBe(ids(1, 10).join(' '));
    go('too late, and from a process that was thought dead');
    expect(await first).toEqual(made);
    expect(await engine.records(sessionId, 'overlay', { limit: 9 })).toHaveLength(1);
  });

  it('parts no call from its result', async () => {
    const { projection, sessionId, sessions } = await talk(10);
    const call = { id: 'c', name: 'search', arguments: '{}' };
    await sessions.manager.addTurns(sessionId, [
      { turnId: 'call', role: 'assistant', content: '', toolCalls: [call] },
      { turnId: 'between', role: 'user', content: 'hurry' },
      { turnId: 'result', role: 'tool', toolCallId: 'c', content: 'found' },
      { turnId: 'last', role: 'assistant', content: 'there' },
    ]);
    const made = await projection.compact(sessionId, { summarise: telling, upTo: 'between' });
    expect(made?.toTurn).toBe('t10');
    const shown = await projection.project(sessionId);
    expect(shown.turnIds.slice(1)).toEqual(['call', 'result', 'between', 'last']);
  });

  it('tells a viewer nothing that is hidden from it', async () => {
    const { projection, sessionId, sessions } = await talk(5);
    await sessions.manager.addTurn(sessionId, {
      role: 'user',
      content: 'the secret',
      hiddenFrom: ['guest'],
    });
    for (let n = 0; n < 5; n++) {
      await sessions.manager.addTurn(sessionId, { role: 'user', content: 'more' });
    }
    const summarise: Summariser = ({ turns }) => turns.map(({ content }) => content).join(' ');
    await projection.compact(sessionId, { summarise, keepLast: 2 });
    const said = async (viewer: string) =>
      JSON.stringify(await projection.project(sessionId, { viewer }));
    expect(await said('friend')).toContain('the secret');
    expect(await said('friend')).toContain('Summary');
    expect(await said('guest')).not.toContain('the secret');
    expect(await said('guest')).toContain('number 3');
  });

  it('comes in pieces to a summariser that takes only so much', async () => {
    const { projection, sessionId } = await talk(60);
    const sizes: number[] = [];
    const summarise: Summariser = (input) => {
      sizes.push(input.turns.length);
      return telling(input);
    };
    const made = await projection.compact(sessionId, { summarise, keepLast: 0, chunkTokens: 100 });
    expect(made?.summary).toBe(ids(1, 60).join(' '));
    expect(Math.max(...sizes)).toBeLessThan(20);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(60);
  });

  it('is nothing where there is nothing to sum up', async () => {
    const { projection, sessionId } = await talk(10);
    expect(await projection.compact(sessionId)).toBeNull();
    expect(await projection.compact(sessionId, { upTo: 1 })).toBeNull();
    expect(await projection.compact(sessionId, { upTo: 0 })).toBeNull();
  });

  it('is not stored when its maker fails, and can be made then', async () => {
    const { projection, sessionId } = await talk(30);
    const fails: Summariser = () => Promise.reject(new Error('the model is out'));
    await expect(projection.compact(sessionId, { summarise: fails })).rejects.toThrow('is out');
    for (const answer of ['', ' ', undefined, 3, '\ud800']) {
      const summarise = (() => answer) as Summariser;
      await expect(projection.compact(sessionId, { summarise })).rejects.toThrow(SessionInputError);
    }
    const summarise: Summariser = () => 'x'.repeat(65_537);
    await expect(projection.compact(sessionId, { summarise })).rejects.toThrow(SessionLimitError);
    const given = new AbortController();
    const aborted = projection.compact(sessionId, {
      summarise: () => {
        given.abort(new Error('no longer wanted'));
        return 'text';
      },
      signal: given.signal,
    });
    await expect(aborted).rejects.toThrow('no longer wanted');
    expect((await projection.project(sessionId)).parts.summary).toBe(0);
    expect(await projection.compact(sessionId, { summarise: telling })).not.toBeNull();
  });

  it('is made by a projection when there is too much', async () => {
    const { add, projection, sessionId } = await talk(30);
    const compact = { past: 400, summarise: telling, keepLast: 5 };
    const before = await projection.project(sessionId, { compact });
    expect(before.parts.summary).toBe(0);
    await add(31, 80);
    const after = await projection.project(sessionId, { compact });
    expect(after.parts.summary).toBeGreaterThan(0);
    expect(after.turnIds.slice(1)).toEqual(ids(76, 80));
    const bad: readonly object[] = [{}, { past: -1 }, { past: 1, upTo: 3 }, { past: 1, x: 1 }];
    for (const compact of bad) {
      await expect(projection.project(sessionId, { compact } as never)).rejects.toThrow(
        SessionInputError,
      );
    }
  });

  it('is made once by an operation that comes twice, also when the session has ended', async () => {
    const { add, projection, sessionId, sessions } = await talk(30);
    let calls = 0;
    const summarise: Summariser = (input) => {
      calls += 1;
      return telling(input);
    };
    const once = { summarise, keepLast: 5, operationId: 'once' };
    const made = await projection.compact(sessionId, once);
    await add(31, 40);
    await sessions.manager.close(sessionId);
    expect(await projection.compact(sessionId, once)).toEqual(made);
    expect(calls).toBe(1);
    const other = projection.compact(sessionId, { ...once, keepLast: 6 });
    await expect(other).rejects.toMatchObject({ code: 'LEX_ERR_SES_013', reason: 'operation' });
  });

  it('refuses what it does not know', async () => {
    const { projection, sessionId } = await talk(2);
    const bad: readonly object[] = [
      { summarise: 'x' },
      { upTo: -1 },
      { upTo: 'nope' },
      { upTo: 1, keepLast: 1 },
      { keepLast: 0.5 },
      { leaseMs: 1 },
      { maxTokens: '9' },
      { signal: {} },
      { range: 1 },
      { operationId: '' },
    ];
    for (const options of bad) {
      await expect(projection.compact(sessionId, options), JSON.stringify(options)).rejects.toThrow(
        SessionInputError,
      );
    }
  });
});

function bound(target: InMemorySessionStore, name: string | symbol): unknown {
  const member = Reflect.get(target, name, target) as unknown;
  return typeof member === 'function' ? member.bind(target) : member;
}
