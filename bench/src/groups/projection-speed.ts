import {
  Bm25ContextPruner,
  type ContextPruner,
  RecencyContextPruner,
  type SessionTurn,
  type TurnInput,
} from '@lexigram/ai-session';
import MiniSearch from 'minisearch';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { questionedConversations } from '../recall.ts';
import { median, microseconds } from '../rounds.ts';
import { newSession, noCaps, openSessions } from '../sessions.ts';

/** What choosing costs, and how it grows with a history. */
export const projectionSpeed: Group = {
  name: 'projection-speed',
  about: 'scoring 1,000 turns ÷ minisearch; projecting 100,000 turns ÷ 1,000',
  durability: 'SQLite, WAL, synchronous=NORMAL: only reading is measured',
  async measure(options) {
    return [await scoring(options), ...(await lengths(options))];
  },
};

async function scoring({ quick }: MeasureOptions): Promise<Figure> {
  const conversations = questionedConversations();
  const queries = (conversations[0]?.questions ?? []).map(({ text }) => text).slice(0, 20);
  const said = conversations.flatMap(({ turns }) => turns);
  const turns = Array.from({ length: 1_000 }, (_, i): SessionTurn => {
    const turn = said[i % said.length] as SessionTurn;
    return { ...turn, turnId: `t${i}`, seq: i + 1 };
  });
  const texts = turns.map(({ content }, id) => ({
    id,
    text: typeof content === 'string' ? content : JSON.stringify(content),
  }));
  const peer = new MiniSearch({ fields: ['text'] });
  peer.addAll(texts);
  const pruner = new Bm25ContextPruner();
  const own = (query: string): unknown => pruner.scores(turns, query);
  const costs = { own: [] as number[], peer: [] as number[] };
  const rounds = quick ? 5 : 30;
  for (let round = -3; round < rounds; round++) {
    for (const query of queries) {
      const ownCost = await microseconds(async () => void own(query));
      const peerCost = await microseconds(async () => void peer.search(query));
      if (round < 0) continue;
      costs.own.push(ownCost);
      costs.peer.push(peerCost);
    }
  }
  const [one, other] = [median(costs.own), median(costs.peer)];
  return {
    name: 'scoring 1,000 turns, terms kept ÷ a search of minisearch',
    value: one / other,
    unit: '×',
    goal: { atMost: 1 },
    detail: `${short(one)} ÷ ${short(other)} µs; medians of ${rounds} rounds of ${queries.length} queries, one after the other`,
  };
}

async function lengths({ directory, quick }: MeasureOptions): Promise<readonly Figure[]> {
  const config = { ...noCaps, autoCheckpointInterval: null };
  await using sessions = await openSessions(directory, 'projection.db', 'normal', config);
  const fill = async (turns: number): Promise<string> => {
    const id = await newSession(sessions);
    for (let n = 0; n < turns; n += 100) {
      const batch = Array.from({ length: 100 }, (_, i): TurnInput => {
        const topic = `topic${(n + i) % 977}`;
        return {
          role: 'user',
          content: `We talked about ${topic}, and what follows from it for us.`,
        };
      });
      await sessions.manager.addTurns(id, batch);
    }
    return id;
  };
  const long = quick ? 10_000 : 100_000;
  const few = await fill(1_000);
  const many = await fill(long);
  const figures: Figure[] = [];
  const contestants: readonly (readonly [string, ContextPruner, number])[] = [
    ['by recency', new RecencyContextPruner(), 1.5],
    ['by BM25, digests kept', new Bm25ContextPruner(), long / 1_000],
  ];
  for (const [name, pruner, goal] of contestants) {
    const project = (id: string) =>
      microseconds(() =>
        sessions.projection.project(id, { query: 'topic42', maxTokens: 8_000, pruner }),
      );
    const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    const first = await project(many);
    await project(few);
    const after = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    const costs = { few: [] as number[], many: [] as number[] };
    for (let round = 0; round < (quick ? 5 : 15); round++) {
      costs.few.push(await project(few));
      costs.many.push(await project(many));
    }
    figures.push({
      name: `projecting ${long} turns to 8,000 tokens ${name} ÷ 1,000 turns`,
      value: median(costs.many) / median(costs.few),
      unit: '×',
      goal: { atMost: goal },
      detail: `${short(median(costs.many))} ÷ ${short(median(costs.few))} µs, medians; the first one ${short(first / 1_000)} ms, and ${short(Math.max(0, after - before) / 2 ** 20)} MiB more memory in use`,
    });
  }
  return figures;
}
