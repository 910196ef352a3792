import type { TurnInput } from '@lexigram/ai-session';
import { describe, expect, it } from 'vitest';
import { partOf, planFill } from '../src/fill/plan.ts';

/** Conversations of these lengths, each turn with its place in its text. */
function conversationsOf(...lengths: readonly number[]): readonly (readonly TurnInput[])[] {
  return lengths.map((length, which) =>
    Array.from({ length }, (_, i): TurnInput => ({ role: 'user', content: `${which}.${i}` })),
  );
}

const conversations = conversationsOf(2, 3, 9, 40, 700);
const options = { turns: 30_000, sessions: 600, seed: 1, conversations };

describe('the plan of a fill', () => {
  it('has as many sessions and turns as were asked for', () => {
    for (const [turns, sessions] of [
      [30_000, 600],
      [1_000_003, 17],
      [600, 600],
      [1, 1],
    ] as const) {
      const plan = planFill({ ...options, turns, sessions });
      expect(plan.sessions.length).toBe(sessions);
      expect(plan.sessions.reduce((sum, session) => sum + session.turns, 0)).toBe(turns);
      expect(Math.min(...plan.sessions.map((session) => session.turns))).toBeGreaterThanOrEqual(1);
      expect(new Set(plan.sessions.map(({ sessionId }) => sessionId)).size).toBe(sessions);
    }
  });

  it('keeps the lengths of the conversations in proportion', () => {
    const plan = planFill(options);
    for (const { conversation, turns } of plan.sessions) {
      const real = conversations[conversation]?.length ?? 0;
      expect(Math.abs(turns - 1 - real * plan.scale)).toBeLessThanOrEqual(1);
    }
    const drawn = new Set(plan.sessions.map(({ conversation }) => conversation));
    expect(drawn.size).toBe(conversations.length);
  });

  it('is the same for the same seed, and another one for another', () => {
    const again = planFill(options);
    expect(again.sessions).toEqual(planFill(options).sessions);
    expect(again.fingerprint).toBe(planFill(options).fingerprint);
    const others = [
      planFill({ ...options, seed: 2 }),
      planFill({ ...options, turns: 30_001 }),
      planFill({ ...options, sessions: 601 }),
      planFill({ ...options, conversations: conversationsOf(2, 3, 9, 40, 701) }),
    ];
    expect(new Set([again, ...others].map(({ fingerprint }) => fingerprint)).size).toBe(5);
    expect(others[0]?.sessions).not.toEqual(again.sessions);
  });

  it('gives a session the turns of its conversation, again from its beginning when they end', () => {
    const plan = planFill({ ...options, conversations: conversationsOf(3) });
    const session = { sessionId: 's', userId: 'u', conversation: 0, turns: 7 };
    const texts = plan.turnsOf(session, 1, 6).map(({ content }) => content);
    expect(texts).toEqual(['0.1', '0.2', '0.0', '0.1', '0.2', '0.0']);
  });

  it('has parts that are evenly spread, and have about so many turns', () => {
    const plan = planFill({ ...options, turns: 100_000, sessions: 2_000 });
    const part = partOf(plan, 20, 1_000);
    const places = part.sessions.map((session) => plan.sessions.indexOf(session));
    expect(places.map((place, i) => place - (places[0] as number) - i * 100)).toEqual(
      Array(20).fill(0),
    );
    expect(part.turns).toBe(part.sessions.reduce((sum, { turns }) => sum + turns, 0));
    expect(Math.abs(part.turns - 1_000)).toBeLessThan(300);
    expect(part.fingerprint).not.toBe(plan.fingerprint);
    // Its users have the same sessions in the whole.
    for (const { userId } of part.sessions) {
      const all = plan.sessions.filter((session) => session.userId === userId);
      expect(part.sessions.filter((session) => session.userId === userId)).toEqual(all);
    }
  });

  it('refuses counts that do not fit', () => {
    for (const wrong of [
      { sessions: 0 },
      { sessions: 1.5 },
      { turns: 599 },
      { turns: Number.NaN },
      { conversations: [] },
      { conversations: conversationsOf(3, 0) },
    ]) {
      expect(() => planFill({ ...options, ...wrong })).toThrow(RangeError);
    }
    expect(() => partOf(planFill(options), 601, 1_000)).toThrow(RangeError);
  });
});
