import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSessions,
  InMemorySessionStore,
  type SessionStore,
  type SessionTurn,
} from '@lexigram/ai-session';
import { DatabaseSessionStore } from '@lexigram/ai-session-stores';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConversations } from '../src/conversations/read.ts';
import type { ConversationTurn } from '../src/conversations/turns.ts';
import { historyOf, type Plan, plansOf, roomy, writePlan } from './plans.ts';

const directory = process.env['CONVERSATIONS_DIR'] ?? join(import.meta.dirname, '..', 'data');

/** What was given and is not read back to the byte. A cost is kept to the nano-dollar. */
function differences(given: ConversationTurn['turn'], read: SessionTurn): string[] {
  const { cost, usage, ...rest } = given;
  const { cost: readCost, usage: readUsage, seq: _, timestamp, ...readRest } = read;
  const expected: Readonly<Record<string, unknown>> = { ...rest, timestamp: rest.timestamp };
  // The store gives a time to what has none.
  const found: Readonly<Record<string, unknown>> = {
    ...readRest,
    timestamp: rest.timestamp && timestamp,
  };
  const text = (value: unknown): string | undefined => JSON.stringify(value);
  const keys = new Set([...Object.keys(expected), ...Object.keys(found)]);
  const wrong = [...keys].filter((key) => text(expected[key]) !== text(found[key]));
  const total =
    usage && (usage.totalTokens ?? (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0));
  const counted = usage && { ...usage, totalTokens: total };
  if (text(sorted(counted)) !== text(sorted(readUsage))) wrong.push('usage');
  if (nano(cost) !== nano(readCost) || (cost === undefined) !== (readCost === undefined)) {
    wrong.push('cost');
  }
  return wrong.map((key) => `${given.turnId} ${key}`);
}

function sorted(value: object | undefined): object | undefined {
  return value && Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function nano(cost: number | undefined): number {
  return Math.round((cost ?? 0) * 1e9);
}

function spent(turns: readonly ConversationTurn['turn'][]): { tokens: number; cost: number } {
  let tokens = 0;
  let cost = 0;
  for (const turn of turns) {
    const { inputTokens = 0, outputTokens = 0, totalTokens } = turn.usage ?? {};
    tokens += totalTokens ?? inputTokens + outputTokens;
    cost += nano(turn.cost);
  }
  return { tokens, cost };
}

type Store = { readonly store: SessionStore; reopen(): Promise<SessionStore> };

const stores: readonly [name: string, open: () => Promise<Store>][] = [
  [
    'in memory',
    async () => {
      const store = new InMemorySessionStore();
      return { store, reopen: async () => store };
    },
  ],
  [
    'on SQLite',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lexigram-round-trip-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const open = () => DatabaseSessionStore.open(`sqlite:${join(folder, 'sessions.db')}`);
      const store = await open();
      const reopen = async () => {
        await store.close();
        return open();
      };
      return { store, reopen };
    },
  ],
];

describe.each(stores)('all real conversations %s', (_, openStore) => {
  it('come out as they went in, and cost what their sources say', async () => {
    const opened = await openStore();
    const writing = await createSessions(roomy, { store: opened.store });
    const plans: Plan[] = [];
    for await (const conversation of readConversations(directory)) {
      for (const plan of plansOf(conversation)) {
        await writePlan(writing, plan, 'reader');
        plans.push(plan);
      }
    }
    expect(plans.length).toBeGreaterThan(20);
    expect(plans.some((plan) => plan.from !== null)).toBe(true);

    const store = await opened.reopen();
    const { analytics, manager } = await createSessions(roomy, { store });
    const written = { turns: 0, tokens: 0, cost: 0 };
    for (const plan of plans) {
      const history = historyOf(plan);
      const state = await manager.getState(plan.sessionId, { turns: 'all' });
      expect(state.turns.map((turn) => turn.turnId)).toEqual(history.map((turn) => turn.turnId));
      const seqs = state.turns.map((turn) => turn.seq);
      expect(seqs).toEqual(history.map((_turn, i) => i + 1));
      const wrong = history.flatMap((turn, i) => differences(turn, state.turns[i] as SessionTurn));
      expect(wrong, plan.sessionId).toEqual([]);

      const total = spent(history);
      expect([state.totalTokens, nano(state.totalCost)]).toEqual([total.tokens, total.cost]);
      const report = await analytics.session(plan.sessionId);
      expect([report.totalTokens, nano(report.totalCost)]).toEqual([total.tokens, total.cost]);
      written.turns += report.lifetimeTurns;
      written.tokens += state.lifetimeTokens;
      written.cost += nano(state.lifetimeCost);
    }
    await store.close();

    // Each turn of the sources once, whoever reads it.
    const given = plans.flatMap((plan) => plan.turns);
    expect(written).toEqual({ turns: given.length, ...spent(given) });
    expect(written.tokens).toBeGreaterThan(0);
    expect(written.cost).toBeGreaterThan(0);
  });
});
