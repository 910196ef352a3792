import { createSessions, type Sessions } from '@lexigram/ai-session';
import { OrderedSessionStore, type Wake } from '@lexigram/ai-session/store';
import { describe, expect, it } from 'vitest';
import { MapEngine } from '../../custom-store/map-engine.ts';

async function over(engine: MapEngine): Promise<Sessions & { store: OrderedSessionStore }> {
  const store = await OrderedSessionStore.open(engine);
  return { ...(await createSessions({}, { store })), store };
}

describe('a store of ordered rows', () => {
  it('is woken for what another process writes, within a second', async () => {
    const engine = new MapEngine();
    const [one, other] = [await over(engine), await over(engine)];
    const { sessionId } = await one.manager.create({ userId: 'u' });
    const begin = performance.now();
    const woken = new Promise<Wake>((resolve) => {
      // The first look finds what was there before.
      let wakes = 0;
      one.store.watch((wake) => {
        wakes += 1;
        if (wakes === 1) void other.manager.addTurn(sessionId, { role: 'user', content: 'hi' });
        else resolve(wake);
      });
    });
    await expect(woken).resolves.toEqual({ from: null, sessions: null });
    expect(performance.now() - begin).toBeLessThan(3_000);
    await one.store.close();
  });

  it('refuses rows of a schema that it does not know, and leaves them alone', async () => {
    const engine = new MapEngine();
    const { store } = await over(engine);
    await store.close();
    await engine.write((rows) => rows.set('counter\nschema', '2'));
    const opening = OrderedSessionStore.open(engine);
    await expect(opening).rejects.toMatchObject({ code: 'LEX_ERR_SES_020' });
    expect(engine.get('counter\nschema')).toBe('2');
  });

  it('says which row is damaged', async () => {
    const engine = new MapEngine();
    const { manager } = await over(engine);
    const { sessionId } = await manager.create({ userId: 'u' });
    await engine.write((rows) => rows.set(`session\n${sessionId}\nrow`, '{'));
    const state = manager.getState(sessionId);
    const place = `row 'session/${sessionId}/row'`;
    await expect(state).rejects.toMatchObject({ code: 'LEX_ERR_SES_017', place });
  });

  it('has keys that are never longer than it says, whatever callers name', async () => {
    const lengths: number[] = [];
    class Measured extends MapEngine {
      override set(key: string, value: string): void {
        lengths.push(Buffer.byteLength(key));
        super.set(key, value);
      }
    }
    const { checkpoints, manager } = await over(new Measured());
    const long = (length: number): string => '語'.repeat(length);
    const { sessionId } = await manager.create({
      userId: long(256),
      tenantId: long(256),
      sessionId: 's'.repeat(128),
      operationId: 'o'.repeat(255),
    });
    const toolCalls = [{ id: 'id', name: long(512), arguments: {} }];
    const names = { turnId: long(128), agent: long(128), model: long(256) };
    const turn = { role: 'assistant', content: '', toolCalls, cost: 1, ...names } as const;
    await manager.addTurn(sessionId, turn);
    await checkpoints.create(sessionId, { label: long(128) });
    expect(Math.max(...lengths)).toBeGreaterThan(1_000);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1_900);
  });

  it('counts the sessions of a user without those that ended, and branches', async () => {
    const store = await OrderedSessionStore.open(new MapEngine());
    const config = { maxSessionsPerUser: 2 };
    const { branches, manager } = await createSessions(config, { store });
    const { sessionId } = await manager.create({ userId: 'u' });
    await branches.fork(sessionId, 'b');
    await manager.create({ userId: 'u', tenantId: 't' });
    await manager.create({ userId: 'u' });
    const third = () => manager.create({ userId: 'u' });
    await expect(third()).rejects.toMatchObject({ code: 'LEX_ERR_SES_012' });
    await manager.close(sessionId);
    await third();
  });
});
