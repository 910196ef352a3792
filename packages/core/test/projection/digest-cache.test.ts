import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../../src/projection/count-tokens.ts';
import { DigestCache, digestPage } from '../../src/projection/digest-cache.ts';
import { InMemorySessionStore } from '../../src/store/memory.ts';
import { open } from './open-sessions.ts';
import { turnsOf } from './turn.ts';

const page = digestPage(
  turnsOf(...Array.from({ length: 100 }, () => ({ role: 'user', content: 'some words' }) as const)),
  estimateTokens,
  true,
);

describe('kept digests', () => {
  it('never take more than they may, and the ones asked for last stay', () => {
    const cache = new DigestCache(300_000);
    for (let n = 0; n < 50; n++) {
      cache.set(`page ${n}`, page);
      expect(cache.get('page 0'), `page ${n}`).toBe(page);
      expect(cache.bytes).toBeLessThanOrEqual(300_000);
    }
    expect(cache.get('page 49')).toBe(page);
    expect(cache.get('page 1')).toBeUndefined();
  });

  it('are of one counter and one row of turns', () => {
    const cache = new DigestCache(1_000_000);
    const segment = { timelineId: 'a.1', from: 1, to: 100 };
    const keys = [
      cache.key([segment], estimateTokens, true),
      cache.key([segment], () => 1, true),
      cache.key([segment], estimateTokens, false),
      cache.key([{ ...segment, to: 99 }], estimateTokens, true),
      cache.key([{ ...segment, timelineId: 'a.2' }], estimateTokens, true),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(cache.key([segment], estimateTokens, true)).toBe(keys[0]);
  });

  it('are made anew where the store has other turns now', async () => {
    const engine = new InMemorySessionStore();
    let lost = false;
    // A server that fell over to a replica may have lost its newest turns, and given their places to others.
    const store = new Proxy(engine, {
      get: (target, name) => {
        const member = Reflect.get(target, name, target) as unknown;
        if (typeof member !== 'function') return member;
        if (name !== 'turns') return member.bind(target);
        return async (...given: Parameters<typeof engine.turns>) => {
          const rows = await target.turns(...given);
          if (!lost) return rows;
          return rows.map((row) => ({
            ...row,
            turnId: `other-${row.seq}`,
            body: JSON.stringify({ role: 'user', content: 'other words' }),
          }));
        };
      },
    });
    await using sessions = await open(store);
    const { sessionId } = await sessions.manager.create({ userId: 'u' });
    for (let n = 0; n < 30; n++) {
      await sessions.manager.addTurn(sessionId, { role: 'user', content: 'the first words' });
    }
    const options = { query: 'words', maxTokens: 100 };
    await sessions.projection.project(sessionId, options);
    lost = true;
    const { turnIds } = await sessions.projection.project(sessionId, options);
    expect(turnIds.every((id) => id.startsWith('other-'))).toBe(true);
  });
});
