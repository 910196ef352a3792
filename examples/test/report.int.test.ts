import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSessions,
  InMemorySessionStore,
  type SessionAnalytics,
  type SessionStore,
  type UsageGroup,
} from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { describe, expect, it, onTestFinished } from 'vitest';
import { conversationFiles, readConversations } from '../src/conversations/read.ts';
import { type Plan, plansOf, roomy, writePlan } from './plans.ts';

const directory = process.env['CONVERSATIONS_DIR'] ?? join(import.meta.dirname, '..', 'data');
/** When what has no time of its own is stored. */
const now = Date.parse('2026-03-01T09:30:00Z');

/** What a group adds up to: turns, tokens, nano-dollars, calls of tools. */
type Sums = readonly [turns: number, tokens: number, nano: number, calls: number];

/** A message of a file: the fields that count. */
interface Message {
  readonly role: string;
  readonly model?: string;
  readonly timestamp?: string;
  readonly timestamp_unix?: number;
  readonly api_message_id?: string;
  readonly usage?: Readonly<Record<string, number | { readonly total: number }>>;
  readonly tool_calls?: readonly { readonly function: { readonly name: string } }[];
}

interface Line {
  readonly messages?: readonly Message[];
  readonly nodes?: readonly Message[];
  readonly meta?: { readonly model?: unknown };
}

/** Sums computed from a file by nothing but its lines. */
class Expected {
  readonly groups = new Map<string, Map<string, Sums>>();

  read(file: string): void {
    for (const line of readFileSync(join(directory, file), 'utf8').split('\n')) {
      if (line !== '') this.#addLine(file, JSON.parse(line));
    }
  }

  #addLine(file: string, { messages, meta, nodes }: Line): void {
    const all = messages ?? nodes ?? [];
    const lastOf = new Map(all.map((message) => [message.api_message_id, message]));
    for (const message of all) {
      const { api_message_id: id, model, role, timestamp, timestamp_unix: seconds } = message;
      const counts = id === undefined || lastOf.get(id) === message;
      const [tokens, nano] = counts ? spent(message.usage) : [0, 0];
      const names = (message.tool_calls ?? []).map((call) => call.function.name);
      const sums: Sums = [1, tokens, nano, names.length];
      const time = new Date(timestamp ?? (seconds === undefined ? now : seconds * 1_000));
      const ofMeta = role === 'assistant' && typeof meta?.model === 'string' ? meta.model : null;
      this.#add('day', time.toISOString().slice(0, 10), sums);
      this.#add('model', model ?? ofMeta, sums);
      this.#add('user', file, sums);
      this.#add('total', null, sums);
      for (const name of new Set(names)) {
        const calls = names.filter((one) => one === name).length;
        this.#add('tool', name, [1, tokens, nano, calls]);
      }
      if (names.length === 0) this.#add('tool', null, sums);
    }
  }

  #add(group: string, key: string | null, sums: Sums): void {
    const groups = this.groups.get(group) ?? new Map<string, Sums>();
    this.groups.set(group, groups);
    const [turns, tokens, nano, calls] = groups.get(String(key)) ?? [0, 0, 0, 0];
    const next: Sums = [turns + sums[0], tokens + sums[1], nano + sums[2], calls + sums[3]];
    groups.set(String(key), next);
  }

  of(group: string): Readonly<Record<string, Sums>> {
    return Object.fromEntries(this.groups.get(group) ?? []);
  }
}

/** Tokens and nano-dollars that a message states, in the words of its source. */
function spent(usage: Message['usage']): readonly [tokens: number, nano: number] {
  if (usage === undefined) return [0, 0];
  const n = (name: string): number => Number(usage[name] ?? 0);
  if (usage['prompt_tokens'] !== undefined) {
    const total = n('prompt_tokens') + n('completion_tokens');
    return [usage['total_tokens'] === undefined ? total : n('total_tokens'), 0];
  }
  if (usage['input_tokens'] !== undefined) {
    const cached = n('cache_read_input_tokens') + n('cache_creation_input_tokens');
    return [n('input_tokens') + cached + n('output_tokens'), 0];
  }
  const { cost } = usage;
  const usd = typeof cost === 'object' ? cost.total : (cost ?? 0);
  return [n('input') + n('cacheRead') + n('cacheWrite') + n('output'), Math.round(usd * 1e9)];
}

function sumsOf(group: Omit<UsageGroup, 'key' | 'tenantId'>): Sums {
  const { cost, toolCalls, totalTokens, turns } = group;
  return [turns, totalTokens, Math.round((cost ?? 0) * 1e9), toolCalls];
}

async function reported(
  analytics: SessionAnalytics,
  groupBy: 'day' | 'model' | 'agent' | 'user' | 'tool',
): Promise<Readonly<Record<string, Sums>>> {
  const groups: Record<string, Sums> = {};
  for (let cursor: string | undefined; ; ) {
    const page = await analytics.report({ groupBy, limit: 7, cursor });
    for (const group of page.items) groups[String(group.key)] = sumsOf(group);
    if (page.nextCursor === null) return groups;
    cursor = page.nextCursor;
  }
}

const stores: readonly [name: string, open: () => Promise<SessionStore>][] = [
  ['in memory', async () => new InMemorySessionStore({ clock: () => now })],
  [
    'on SQLite',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lexigram-report-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const path = join(folder, 'sessions.db');
      const store = await SqliteSessionStore.open(path, {
        clock: () => now,
        synchronous: 'normal',
      });
      onTestFinished(() => store.close());
      return store;
    },
  ],
];

describe.each(stores)('a report of all real conversations %s', (_, open) => {
  it('is what their files add up to, to the nano-dollar, branches, moves and deletes or not', async () => {
    const store = await open();
    const sessions = await createSessions(roomy, { store });
    const { analytics, branches, manager } = sessions;
    const expected = new Expected();
    for (const file of await conversationFiles(directory)) expected.read(file);
    const plans: Plan[] = [];
    const agents = new Map<string, number>();
    for await (const conversation of readConversations(directory)) {
      for (const { turn } of conversation.turns) {
        agents.set(String(turn.agent ?? null), (agents.get(String(turn.agent ?? null)) ?? 0) + 1);
      }
      for (const plan of plansOf(conversation)) {
        await writePlan(sessions, plan, conversation.file);
        plans.push(plan);
        // Some are counted while others are still to come.
        if (plans.length % 50 === 0) await analytics.report({ groupBy: 'day' });
      }
    }
    const check = async (): Promise<void> => {
      for (const groupBy of ['day', 'model', 'user', 'tool'] as const) {
        expect(await reported(analytics, groupBy)).toEqual(expected.of(groupBy));
      }
      const byAgent = await reported(analytics, 'agent');
      const turns = Object.entries(byAgent).map(([agent, sums]) => [agent, sums[0]]);
      expect(Object.fromEntries(turns)).toEqual(Object.fromEntries(agents));
      const { total } = await analytics.report({ groupBy: 'tool' });
      expect(sumsOf(total)).toEqual(expected.of('total')['null']);
    };
    const [turns, tokens, nano, calls] = expected.of('total')['null'] as Sums;
    for (const sum of [turns, tokens, nano, calls]) expect(sum).toBeGreaterThan(0);
    await check();

    // What reads a turn once more, or lets go of it, changes nothing. Branches come before what they stand on.
    for (const [i, { sessionId }] of plans.toReversed().entries()) {
      if (i % 3 === 0) await branches.fork(sessionId, 'again');
      if (i % 3 === 1) await manager.rewind(sessionId, { toSeq: 0 });
      if (i % 3 === 2) await manager.delete(sessionId, { withBranches: i % 2 === 0 });
    }
    await check();
  });
});
