import { InMemorySessionStore, type SessionStore } from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import { interleave, interleaveOn } from './kit/interleaving.ts';
import { openSqlite } from './kit/open-sqlite.ts';
import { countOf } from './scale.ts';

it('in memory no history shows what is not its own, nothing read is lost, nothing unread is left', async () => {
  for (let seed = 1; seed <= countOf('interleavings'); seed++) {
    await interleave(seed, async (clock) => new InMemorySessionStore({ clock }));
  }
});

it('and none does in SQLite', async () => {
  for (let seed = 1; seed <= countOf('interleavings') / 5; seed++) {
    await interleaveOn(10_000 + seed, openSqlite);
  }
});

/** Stores that are broken in one way each: the runs must tell. */
const broken: Readonly<Record<string, (clock: () => number) => SessionStore>> = {
  'shows what follows on another timeline': (clock) =>
    new (class extends InMemorySessionStore {
      override turns: SessionStore['turns'] = (segments, page) => {
        const longer = segments.map((segment) => ({ ...segment, to: Number.MAX_SAFE_INTEGER }));
        return super.turns(longer, page);
      };
    })({ clock }),
  'forgets what merges took in': (clock) =>
    new (class extends InMemorySessionStore {
      override timelines: SessionStore['timelines'] = async (ids) =>
        (await super.timelines(ids)).map((row) => row && { ...row, merged: [] });
    })({ clock }),
  'never lets go of what a deleted session held': (clock) =>
    new (class extends InMemorySessionStore {
      override commit: SessionStore['commit'] = (id, { records = [], ...commit }) => {
        const kept = records.filter((write) => !('delete' in write) || write.kind === 'redo');
        return super.commit(id, { ...commit, records: kept });
      };
    })({ clock }),
  'erases what branches read': (clock) =>
    new (class extends InMemorySessionStore {
      override erase: SessionStore['erase'] = (id, request) =>
        super.erase(id, request.keep === undefined ? request : { ...request, keep: [] });
    })({ clock }),
};

it.each(Object.keys(broken))('a store is found out that %s', async (name) => {
  const runs = async (): Promise<void> => {
    for (let seed = 1; seed <= 20; seed++) {
      await interleave(seed, async (clock) => (broken[name] as (typeof broken)[string])(clock));
    }
  };
  await expect(runs()).rejects.toThrow();
});
