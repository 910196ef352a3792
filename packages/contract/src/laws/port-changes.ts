import assert from 'node:assert/strict';
import type { SessionStore } from '@lexigram/ai-session';
import type { Change, ChangesPage, FeedItem, Owner, Wake } from '@lexigram/ai-session/store';
import type { Law } from '../law.ts';
import { inOneTick, range } from '../many.ts';
import { done, rawSession, rawTimeline, rawTurn } from '../raw.ts';

const event = { type: 'metadata' } as const;
const form = /^[0-9A-Za-z.-]{1,40}$/;

/** Whether a position is later than another, as the port says. */
function isLater(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/** Where the changes end now. */
async function end(store: SessionStore): Promise<string> {
  const { items, next } = await store.changes({ after: null, limit: 10 });
  assert.deepEqual(items, [], 'nothing is read without a position');
  return next;
}

/** All changes after a position, read in pages. */
async function readAll(
  store: SessionStore,
  page: Omit<ChangesPage, 'after'> & { readonly after: string },
): Promise<readonly Change[]> {
  const read: Change[] = [];
  let { after } = page;
  for (let pages = 0; ; pages++) {
    assert.ok(pages < 10_000, 'reading comes to an end');
    const { done: all, items, next, reset } = await store.changes({ ...page, after });
    assert.equal(reset, false, `nothing is missing after ${after}`);
    assert.match(next, form);
    const last = items.at(-1)?.position ?? next;
    assert.ok(!isLater(last, next) && !isLater(after, next), 'a page ends after its items');
    const before = items.filter(({ position }) => isLater(last, position));
    assert.ok(before.length < page.limit, 'a page is longer only to end a position');
    read.push(...items);
    after = next;
    if (all) return read;
  }
}

function itemsOf(changes: readonly Change[], id: string): readonly FeedItem[] {
  return changes
    .filter(({ sessionId }) => sessionId === id)
    .map(({ owner: _, position: __, sessionId: ___, ...item }) => item as FeedItem);
}

const owners: readonly Owner[] = [
  { tenantId: null, userId: 'u' },
  { tenantId: 'acme', userId: 'u' },
  { tenantId: null, userId: 'v' },
];

/** Sessions of three owners that do a little of everything, one step after another. */
async function live(store: SessionStore): Promise<readonly string[]> {
  const ids = owners.map((_, i) => `s${i}`);
  for (const [i, owner] of owners.entries()) {
    done(await store.create(rawSession(`s${i}`, { owner, turns: [rawTurn('first')] })));
  }
  const checkpoints = { every: 2, max: 9 };
  const base = { seq: 1, turnId: 'first', tokens: 0, cost: 0, variables: null };
  const steps = ids.map((id) => {
    const to = { ...base, timelineId: `${id}.1` };
    const timeline = { ...rawTimeline(id, 2, to), root: `${id}.1` };
    return [
      { append: { turns: range(1, 5).map((n) => rawTurn(`b${n}`)), checkpoints } },
      { event },
      { checkpoint: { label: 'here', metadata: null, max: 9 }, event: { type: 'checkpoint' } },
      { timeline },
      { append: { timelineId: `${id}.2`, turns: [rawTurn('staged')] } },
      { records: [{ kind: 'lease', key: 'l', value: '1' }] },
      {
        pointer: { move: 'merge', to: { ...to, timelineId: `${id}.2`, seq: 2, turnId: 'staged' } },
        event: { type: 'move' },
      },
      { append: { turns: [rawTurn('after')] } },
      {
        pointer: { move: 'undo', to: { ...to, seq: 6, turnId: 'b5' } },
        event: { type: 'move' },
      },
      { append: { turns: [rawTurn('later')] } },
      { status: { to: 'closed' }, event: { type: 'closed', data: '{"reason":null}' } },
    ] as const;
  });
  for (const n of range(0, 10)) {
    for (const [i, id] of ids.entries()) {
      const step = steps[i]?.[n];
      if (step !== undefined) done(await store.commit(id, step));
    }
  }
  return ids;
}

/** The port: what happened in all sessions, in one order, and who is woken by it. */
export const portChangeLaws: readonly Law[] = [
  {
    id: 'port-changes/everything-once',
    promise:
      'All changes are read once each in pages of any size: those of a session as its feed has them, in the order of positions.',
    async check({ store }) {
      const after = await end(store);
      const ids = await live(store);
      for (const limit of [1, 2, 3, 7, 100]) {
        const changes = await readAll(store, { after, limit });
        for (const [i, id] of ids.entries()) {
          const feed = await store.feed(id, { after: 0, limit: 1_000 });
          assert.deepEqual(itemsOf(changes, id), feed, `${id} in pages of ${limit}`);
          const own = changes.filter(({ sessionId }) => sessionId === id);
          for (const { owner } of own) assert.deepEqual(owner, owners[i]);
        }
        for (const [i, { position }] of changes.entries()) {
          assert.match(position, form);
          const before = changes[i - 1]?.position ?? after;
          assert.ok(!isLater(before, position), `${position} does not come before ${before}`);
        }
        assert.equal(await end(store), (await store.changes({ after, limit: 1_000 })).next);
      }
    },
  },
  {
    id: 'port-changes/resumable',
    promise: 'Read on after the position of any change, what came after it follows, and only that.',
    async check({ store }) {
      const after = await end(store);
      await live(store);
      const whole = await readAll(store, { after, limit: 1_000 });
      for (const [i, { position }] of whole.entries()) {
        if (whole[i + 1]?.position === position) continue;
        assert.deepEqual(await readAll(store, { after: position, limit: 2 }), whole.slice(i + 1));
      }
    },
  },
  {
    id: 'port-changes/of-one-user',
    promise:
      'The changes of one user are those of this user only, of this tenant only if one is named.',
    async check({ store }) {
      const after = await end(store);
      await live(store);
      const whole = await readAll(store, { after, limit: 1_000 });
      const variants: readonly (readonly [Partial<ChangesPage>, readonly string[]])[] = [
        [{ userId: 'u' }, ['s0', 's1']],
        [{ userId: 'u', tenantId: null }, ['s0']],
        [{ userId: 'u', tenantId: 'acme' }, ['s1']],
        [{ userId: 'v', tenantId: 'acme' }, []],
        [{ userId: 'U' }, []],
        [{ userId: '%' }, []],
      ];
      for (const [filter, ids] of variants) {
        for (const limit of [1, 3, 100]) {
          const changes = await readAll(store, { ...filter, after, limit });
          const expected = whole.filter(({ sessionId }) => ids.includes(sessionId));
          assert.deepEqual(changes, expected, JSON.stringify(filter));
        }
      }
    },
  },
  {
    id: 'port-changes/while-others-write',
    promise: 'Who reads on while many write misses no change and sees none twice.',
    async check({ scale, store }) {
      const ids = range(0, 7).map((i) => `w${i}`);
      for (const id of ids) done(await store.create(rawSession(id)));
      let after = await end(store);
      const rounds = scale(100, 12);
      const seen: Change[] = [];
      let writing = true;
      const writers = inOneTick(ids.length, async (i) => {
        const id = ids[i] as string;
        for (const n of range(1, rounds)) {
          const turns = range(1, 1 + ((n + i) % 3)).map((k) => rawTurn(`${n}.${k}`));
          done(await store.commit(id, { append: { turns } }));
          if (n % 4 === 0) done(await store.commit(id, { event }));
        }
      }).then(({ lost }) => {
        writing = false;
        return lost;
      });
      for (let last = false; !last; ) {
        last = !writing;
        for (let all = false; !all; ) {
          const page = await store.changes({ after, limit: 5 });
          seen.push(...page.items);
          after = page.next;
          all = page.done;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(await writers, []);
      for (const id of ids) {
        const feed = await store.feed(id, { after: 1, limit: 1_000 });
        assert.deepEqual(itemsOf(seen, id), feed, id);
      }
    },
  },
  {
    id: 'port-changes/delete',
    promise:
      'Of a deleted session the changes tell nothing but that it was deleted, and whose it was.',
    async check({ store }) {
      const after = await end(store);
      await live(store);
      const before = await end(store);
      await store.erase('s1', { limit: 100 });
      await store.erase('s1', { keep: [], limit: 100 });
      const { revision } = (await store.feed('s1', { after: 0, limit: 9 }))[0] ?? assert.fail();
      for (const from of [after, before]) {
        const changes = await readAll(store, { after: from, limit: 3 });
        const gone = changes.filter(({ sessionId }) => sessionId === 's1');
        assert.deepEqual(
          gone.map((item) => [item.type, item.revision, item.owner]),
          [['deleted', revision, owners[1]]],
        );
        const other = changes.filter(({ sessionId }) => sessionId === 's0');
        assert.equal(other.length > 0, from === after);
      }
    },
  },
  {
    id: 'port-changes/window',
    promise:
      'A position after which the window has dropped something is answered with a reset, and so is one that was never given out; later ones go on.',
    async check({ clock, store }) {
      const first = await end(store);
      const none = { after: first, limit: 10 };
      assert.deepEqual((await store.changes(none)).items, []);
      await live(store);
      const old = await end(store);
      clock.advance(1_000);
      done(await store.create(rawSession('young')));
      done(await store.commit('s0', { event }));
      const whole = await readAll(store, { after: old, limit: 10 });
      while ((await store.collect({ before: clock.now(), limit: 3 })) > 0);
      const gap = await store.changes({ after: first, limit: 10 });
      assert.deepEqual([gap.reset, gap.items], [true, []]);
      assert.deepEqual(await readAll(store, { after: gap.next, limit: 10 }), whole);
      assert.deepEqual(await readAll(store, { after: old, limit: 10 }), whole);
      const now = await end(store);
      for (const strange of [`${now}0`, 'zzz', '99999999999999', '-5']) {
        const page = await store.changes({ after: strange, limit: 10 });
        assert.deepEqual([page.reset, page.items], [true, []], strange);
      }
      assert.deepEqual((await store.changes({ after: now, limit: 10 })).reset, false);
    },
  },
  {
    id: 'port-changes/never-again',
    promise:
      'A position is given out once: what is committed after newer changes were erased or collected is later than all of them.',
    async check({ clock, store }) {
      done(await store.create(rawSession('s')));
      const guard = { kind: 'staged', key: 'm', version: 1 } as const;
      const stage = { records: [{ kind: 'staged', key: 'm', value: '1' }] };
      done(await store.commit('s', { timeline: rawTimeline('s', 2), ...stage }));
      const turns = range(1, 9).map((n) => rawTurn(`staged${n}`));
      done(await store.commit('s', { append: { timelineId: 's.2', turns } }));
      done(
        await store.create(rawSession('t', { turns: range(1, 9).map((n) => rawTurn(`t${n}`)) })),
      );
      done(await store.commit('s', { append: { timelineId: 's.2', turns: [rawTurn('last')] } }));
      const after = await end(store);
      await store.erase('s', { staged: { timelineId: 's.2', guard }, limit: 100 });
      done(await store.commit('s', { append: { turns: [rawTurn('a')] } }));
      await store.erase('t', { limit: 100 });
      await store.erase('t', { keep: [], limit: 100 });
      const names = async (): Promise<readonly string[]> =>
        (await readAll(store, { after, limit: 5 })).map((item) =>
          item.type === 'turn' ? item.turn.turnId : item.type,
        );
      assert.deepEqual(await names(), ['a', 'deleted']);
      const now = await end(store);
      clock.advance(1_000);
      await store.collect({ before: clock.now(), limit: 100 });
      done(await store.commit('s', { append: { turns: [rawTurn('b')] } }));
      const last = await readAll(store, { after: now, limit: 5 });
      assert.deepEqual(
        last.map((item) => item.type === 'turn' && item.turn.turnId),
        ['b'],
      );
    },
  },
  {
    id: 'port-changes/watch',
    promise:
      'Who watches is woken after each commit that is seen, told which sessions it may be, until it stops.',
    async check({ store }) {
      done(await store.create(rawSession('s')));
      done(await store.create(rawSession('t', { owner: owners[1] as Owner })));
      let woken: ((wake: Wake) => void) | undefined;
      const stop = store.watch((wake) => woken?.(wake));
      const calls: readonly (readonly [string, Owner, () => Promise<unknown>])[] = [
        ['s', owners[0] as Owner, () => store.commit('s', { append: { turns: [rawTurn('a')] } })],
        ['t', owners[1] as Owner, () => store.commit('t', { event })],
        ['n', owners[0] as Owner, () => store.create(rawSession('n'))],
        ['t', owners[1] as Owner, () => store.erase('t', { limit: 9 })],
      ];
      for (const [sessionId, owner, call] of calls) {
        const before = await end(store);
        const wake = new Promise<void>((resolve) => {
          woken = ({ from, sessions }) => {
            assert.ok(from === null || !isLater(from, before), 'nothing is left out');
            if (sessions !== null && !sessions.some((one) => one.sessionId === sessionId)) return;
            const told = sessions?.find((one) => one.sessionId === sessionId);
            if (told !== undefined) assert.deepEqual(told.owner, owner);
            resolve();
          };
        });
        await call();
        await Promise.race([wake, late(`nobody was woken for ${sessionId}`)]);
      }
      stop();
      stop();
      let again = 0;
      woken = () => {
        again += 1;
      };
      done(await store.commit('s', { event }));
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(again, 0, 'nobody is woken who stopped');
    },
  },
];

/** Fails after longer than any store may take. */
function late(message: string): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(new assert.AssertionError({ message }));
    setTimeout(fail, 3_000).unref();
  });
}
