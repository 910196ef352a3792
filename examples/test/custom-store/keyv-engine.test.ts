import { createSessions, type SessionManager, type SessionStore } from '@lexigram/ai-session';
import { Keyv } from 'keyv';
import { describe, expect, it } from 'vitest';
import { openKeyvStore } from '../../custom-store/keyv-store.ts';
import { KeptKeys } from './kept-keys.ts';

/** Keys that fail as they are told. */
class FailingKeys extends KeptKeys {
  /** Which calls fail: before they do anything, or after. */
  fails: (call: 'get' | 'set', key: string) => 'before' | 'after' | undefined = () => undefined;

  override get(key: string): unknown {
    if (this.fails('get', key) !== undefined) throw new Error('no answer');
    return super.get(key);
  }

  override set(key: string, value: unknown): this {
    const fails = this.fails('set', key);
    if (fails !== 'before') super.set(key, value);
    if (fails !== undefined) throw new Error('no answer');
    return this;
  }
}

const unreachable = { code: 'LEX_ERR_SES_016', reason: 'unreachable' };
const takenOver = { code: 'LEX_ERR_SES_016', reason: 'locked' };
const say = (turnId: string) => ({ turnId, role: 'user', content: turnId }) as const;

async function open(
  keys: KeptKeys,
  cachedPages?: number,
): Promise<{ manager: SessionManager; store: SessionStore }> {
  const store = await openKeyvStore(new Keyv({ store: keys }), { cachedPages });
  const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
  return { manager, store };
}

async function textsOf(manager: SessionManager, sessionId = 's'): Promise<readonly unknown[]> {
  const { turns } = await manager.getState(sessionId, { turns: 'all' });
  return turns.map(({ content }) => content);
}

describe('a Keyv that fails', () => {
  it('when a store is opened does not look like an empty one', async () => {
    const keys = new FailingKeys();
    const { manager } = await open(keys);
    await manager.create({ userId: 'u', sessionId: 's' });
    keys.fails = (call) => (call === 'get' ? 'before' : undefined);
    await expect(open(keys)).rejects.toMatchObject(unreachable);
    keys.fails = () => undefined;
    expect(await textsOf((await open(keys)).manager)).toEqual([]);
  });

  it.each([
    ['a page', (key: string) => key !== 'root', 'before', false],
    ['the root', (key: string) => key === 'root', 'before', false],
    ['the root whose answer is lost', (key: string) => key === 'root', 'after', true],
  ] as const)('at %s is told, and the store goes on', async (_, isIt, when, isThere) => {
    const keys = new FailingKeys();
    const { manager } = await open(keys, 1);
    await manager.create({ userId: 'u', sessionId: 's' });
    for (let n = 0; n < 50; n++) await manager.addTurn('s', say(`${n}`));
    for (let n = 0; n < 50; n++) {
      keys.fails = (call, key) => (call === 'set' && isIt(key) ? when : undefined);
      await expect(manager.addTurn('s', say(`x${n}`))).rejects.toMatchObject(unreachable);
      keys.fails = () => undefined;
      const again = await manager.addTurn('s', say(`x${n}`));
      expect(again.duplicate).toBe(isThere);
      await manager.addTurn('s', say(`y${n}`));
    }
    const texts = await textsOf(manager);
    expect(texts.length).toBe(150);
    expect(await textsOf((await open(keys)).manager)).toEqual(texts);
  });

  it('tells all that relied on the write', async () => {
    const keys = new FailingKeys();
    const { manager } = await open(keys);
    await manager.create({ userId: 'u', sessionId: 's' });
    keys.fails = (call) => (call === 'set' ? 'before' : undefined);
    // The second one is a repeat of the first, which is not there in the end.
    const both = [say('a'), say('a')].map((turn) => manager.addTurn('s', turn));
    for (const add of both) await expect(add).rejects.toMatchObject(unreachable);
    keys.fails = () => undefined;
    expect(await textsOf(manager)).toEqual([]);
  });

  it('with a page that is gone, or is none, is corrupt', async () => {
    const keys = new KeptKeys();
    const { manager } = await open(keys);
    await manager.create({ userId: 'u', sessionId: 's' });
    const pages = [...keys.kept].filter(([key]) => key !== 'root');
    const reads = async () => textsOf((await open(keys)).manager);
    const corrupt = { code: 'LEX_ERR_SES_017' };
    for (const [key] of pages) keys.kept.delete(key);
    await expect(reads()).rejects.toMatchObject(corrupt);
    for (const [key] of pages) keys.kept.set(key, { value: '{"value":"{"}' });
    await expect(reads()).rejects.toMatchObject(corrupt);
    for (const [key, value] of pages) keys.kept.set(key, value);
    expect(await reads()).toEqual([]);
  });
});

describe('a Keyv that is not fit', () => {
  const unsupported = { code: 'LEX_ERR_SES_020' };

  it('lets keys expire', async () => {
    const keyv = new Keyv({ ttl: 1_000 });
    await expect(openKeyvStore(keyv)).rejects.toMatchObject(unsupported);
  });

  it('has other things in it', async () => {
    const keyv = new Keyv();
    await keyv.set('root', '{"format":"mine"}');
    await expect(openKeyvStore(keyv)).rejects.toMatchObject(unsupported);
    await keyv.set('root', 'x');
    await expect(openKeyvStore(keyv)).rejects.toMatchObject({ code: 'LEX_ERR_SES_017' });
  });
});

describe('two processes', () => {
  it('do not share the sessions: who opened them last has them, and nothing is lost', async () => {
    const keys = new KeptKeys();
    const first = await open(keys, 1);
    await first.manager.create({ userId: 'u', sessionId: 's' });
    await first.manager.addTurn('s', say('a'));
    const second = await open(keys, 1);
    await expect(first.manager.addTurn('s', say('x'))).rejects.toMatchObject(takenOver);
    for (let n = 0; n < 20; n++) await second.manager.addTurn('s', say(`b${n}`));
    // What it has not at hand is gone from under it.
    await expect(textsOf(first.manager)).rejects.toMatchObject(takenOver);
    await expect(first.manager.addTurn('s', say('y'))).rejects.toMatchObject(takenOver);
    expect((await textsOf(second.manager)).length).toBe(21);
  });
});

describe('keys', () => {
  it('are as many as the pages of the tree, and those of the last commits', async () => {
    const keys = new KeptKeys();
    const { manager } = await open(keys);
    await manager.create({ userId: 'u', sessionId: 's' });
    for (let n = 0; n < 300; n++) await manager.addTurn('s', say(`${n}`));
    const live = await pagesOf(new Keyv({ store: keys }));
    expect(live.size).toBeGreaterThan(50);
    expect(keys.kept.size - 1 - live.size).toBeLessThan(30);
    await manager.delete('s');
    expect((await pagesOf(new Keyv({ store: keys }))).size).toBeLessThan(live.size / 5);
  });

  it('are written by the depth of the tree, not by the length of a session', async () => {
    const keys = new KeptKeys();
    const { manager } = await open(keys, 50);
    await manager.create({ userId: 'u', sessionId: 's' });
    const turn = { role: 'user', content: 'hi' } as const;
    const add = async (hundreds: number): Promise<void> => {
      const batch = Array.from({ length: 100 }, () => turn);
      for (let n = 0; n < hundreds; n++) await manager.addTurns('s', batch);
    };
    const cost = async (): Promise<{ writes: number; written: number }> => {
      const { writes, written } = keys;
      for (let n = 0; n < 50; n++) await manager.addTurn('s', turn);
      return { writes: keys.writes - writes, written: keys.written - written };
    };
    await add(4);
    const short = await cost();
    await add(36);
    const long = await cost();
    // Ten times as many turns make a tree of three levels out of one of two.
    expect(long.writes / short.writes).toBeLessThan(2);
    expect(long.written / short.written).toBeLessThan(2);
  });
});

/** The names of the pages that the root leads to. */
async function pagesOf(keyv: Keyv): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const look = async (name: string): Promise<void> => {
    found.add(name);
    const { level, values } = JSON.parse((await keyv.get<string>(name)) ?? '');
    if (level > 0) for (const value of values) await look(value);
  };
  const { page } = JSON.parse((await keyv.get<string>('root')) ?? '');
  await look(page);
  return found;
}
