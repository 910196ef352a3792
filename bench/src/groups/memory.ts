import { createSessions } from '@lexigram/ai-session';
import { MemorySession } from '@openai/agents-core';
import { plainTurn } from '../conversations.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { silent } from '../peers/openai.ts';
import { type Contestant, interleave, median, microseconds, ratioOf } from '../rounds.ts';
import { newSession, noCaps } from '../sessions.ts';

/** In memory, beside the session of OpenAI's agents, which copies its whole list at each append. */
export const memory: Group = {
  name: 'memory',
  about: 'append in memory ÷ MemorySession of @openai/agents-core, one item at a time',
  durability: 'memory: nothing survives the process',
  async measure(options) {
    return [...(await measure(1_000, 1.5, options)), ...(await measure(20_000, 0.3, options))];
  },
};

async function measure(
  length: number,
  goal: number,
  { quick }: MeasureOptions,
): Promise<readonly Figure[]> {
  await using sessions = await createSessions({ ...noCaps, maxCheckpointsPerSession: 50 });
  const { manager } = sessions;
  const turn = plainTurn();
  const item = { type: 'message', role: 'user', content: String(turn.content) } as const;
  const operations = quick ? 50 : 500;

  const slices = quick ? 2 : 10;
  const perSlice = operations / slices;
  let own = '';
  const peer = (logs: boolean): Contestant => {
    let session = new MemorySession();
    return {
      begin: () => {
        session = new MemorySession({
          initialItems: Array.from({ length }, () => item),
          ...(logs ? {} : { logger: silent }),
        });
      },
      slice: () =>
        microseconds(async () => {
          for (let i = 0; i < perSlice; i++) await session.addItems([item]);
        }),
    };
  };
  const costs = await interleave(
    { rounds: quick ? 3 : 9, slices },
    {
      own: {
        begin: async () => {
          if (own !== '') await manager.delete(own);
          own = await newSession(sessions);
          const batch = Array.from({ length: 100 }, () => turn);
          for (let n = 0; n < length; n += 100) await manager.addTurns(own, batch);
        },
        slice: () =>
          microseconds(async () => {
            for (let i = 0; i < perSlice; i++) await manager.addTurn(own, turn);
          }),
      },
      peer: peer(true),
      unlogged: peer(false),
    },
  );

  const each = (round: readonly number[]): string => short(median(round) / operations);
  const figure = (name: string, other: readonly number[]): Figure => {
    const { high, low, value } = ratioOf(costs.own, other);
    return {
      name: `own ÷ MemorySession at ${length} turns${name}`,
      value,
      unit: '×',
      goal: { atMost: goal },
      detail: `${each(costs.own)} ÷ ${each(other)} µs; ${other.length} rounds of ${operations} appends, ${short(low)}–${short(high)}`,
    };
  };
  return [figure('', costs.peer), figure(', its logging off', costs.unlogged)];
}
