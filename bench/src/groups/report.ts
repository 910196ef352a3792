import { join } from 'node:path';
import { createSessions, openPrices, type Sessions, type TurnInput } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { plainTurn } from '../conversations.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { alternate, interleave, median, microseconds, ratioOf } from '../rounds.ts';
import { newSession, noCaps, openSessions } from '../sessions.ts';

/** Reports of two files with the same users, days and models, and a hundred times as many turns in one. */
export const report: Group = {
  name: 'report',
  about: 'analytics.report by model over 30 days of 1,000,000 turns ÷ of 10,000 turns',
  durability: 'SQLite, WAL, synchronous=NORMAL: the disk hides no cost',
  measure,
};

const users = 20;
const days = 30;
const models = 3;
const batch = 100;
const start = Date.UTC(2026, 0, 1);

async function measure({ directory, quick }: MeasureOptions): Promise<readonly Figure[]> {
  const few = 10_000;
  const many = quick ? 50_000 : 1_000_000;
  await using small = await openSessions(directory, 'small.db', 'normal', noCaps);
  await using large = await openSessions(directory, 'large.db', 'normal', noCaps);
  await fill(small, few);
  await fill(large, many);
  const rolledUp = await microseconds(() => read(large));
  await read(small);
  const costs = await alternate(quick ? 3 : 9, 10, {
    one: () => microseconds(() => read(large)),
    other: () => microseconds(() => read(small)),
  });
  const { high, low, value } = ratioOf(costs.one, costs.other);
  return [
    {
      name: `report of ${many} turns ÷ of ${few}`,
      value,
      unit: '×',
      goal: { atMost: 1.2 },
      detail: `${short(median(costs.one) / 1_000)} ÷ ${short(median(costs.other) / 1_000)} ms; both read ${users * days * models} rows; ${short(low)}–${short(high)}`,
    },
    {
      name: 'rolling up, once for each turn',
      value: rolledUp / many,
      unit: 'µs',
      detail: `the first report of ${many} turns took ${short(rolledUp / 1e6)} s, 1,000 turns in a transaction`,
    },
  ];
}

async function read({ analytics }: Sessions): Promise<void> {
  await analytics.report({ groupBy: 'model', from: '2026-01-01', to: '2026-01-31' });
}

async function fill({ manager }: Sessions, turns: number): Promise<void> {
  const sessions: string[] = [];
  for (let i = 0; i < users; i++) {
    sessions.push((await manager.create({ userId: `user-${i}` })).sessionId);
  }
  for (let n = 0; n < turns; n += batch) {
    const made = Array.from({ length: batch }, (_, i) => turnOf(Math.floor(n / batch / users) + i));
    await manager.addTurns(sessions[(n / batch) % users] as string, made);
  }
}

function turnOf(n: number): TurnInput {
  const timestamp = new Date(start + (n % days) * 86_400_000).toISOString();
  return { ...plainTurn(), model: `model-${Math.floor(n / days) % models}`, timestamp };
}

/**
 * Budgets and prices beside neither. A user whom this process has not met yet is looked up once, and all turns
 * since the last time are rolled up for that: some 5 µs a turn, which a report would else do.
 */
export const spending: Group = {
  name: 'spending',
  about:
    'one caller, addTurn with budgets of session and user and prices ÷ with none; processor time',
  durability: 'SQLite, WAL, synchronous=NORMAL: a turn survives a crash of the process',
  measure: measureSpending,
};

async function measureSpending({ directory, quick }: MeasureOptions): Promise<readonly Figure[]> {
  const open = (name: string) =>
    SqliteSessionStore.open(join(directory, name), { synchronous: 'normal' });
  const models = { 'some-model': { input: 3, output: 15, cacheRead: 0.3 } };
  const prices = await openPrices({ models, catalogue: false });
  const budgets = { maxCostPerSession: 1_000_000, maxCostPerUser: 1_000_000 };
  await using bound = await createSessions(
    { ...noCaps, ...budgets },
    { store: await open('a.db'), prices },
  );
  await using free = await createSessions(noCaps, { store: await open('b.db') });
  const turns = quick ? 500 : 6_000;
  const usage = { inputTokens: 900, outputTokens: 100, cacheReadTokens: 300 };
  const { cost: _, ...plain } = plainTurn();
  const turn = { ...plain, model: 'some-model', usage };
  const contestant = (sessions: Sessions) => {
    let id = '';
    return {
      begin: async () => {
        id = await newSession(sessions);
      },
      slice: async () => {
        const before = process.cpuUsage();
        for (let i = 0; i < 50; i++) await sessions.manager.addTurn(id, turn);
        const { system, user } = process.cpuUsage(before);
        return user + system;
      },
    };
  };
  const rounds = { rounds: quick ? 3 : 9, slices: turns / 50 };
  const costs = await interleave(rounds, { bound: contestant(bound), free: contestant(free) });
  await bound.store.close();
  await free.store.close();
  const { high, low, value } = ratioOf(costs.bound, costs.free);
  const each = (sums: readonly number[]): string => short(median(sums) / turns);
  return [
    {
      name: 'processor time with budgets and prices ÷ without',
      value,
      unit: '×',
      goal: { atMost: 1.25 },
      detail: `${each(costs.bound)} ÷ ${each(costs.free)} µs a turn; ${costs.free.length} rounds of ${turns} turns, 50 in turn, each by a new user, for whom the turns before are rolled up, ${short(low)}–${short(high)}`,
    },
  ];
}
