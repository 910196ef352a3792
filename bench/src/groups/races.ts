import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runScript } from '../child.ts';
import type { Figure, Group } from '../figure.ts';
import { adkDatabase, adkMemory } from '../peers/adk.ts';
import { memorySaver, sqliteSaver } from '../peers/langgraph.ts';
import { mastra } from '../peers/mastra.ts';
import { memorySession } from '../peers/openai.ts';
import { ownMemory, ownSqlite } from '../peers/own.ts';
import type { Peer, PeerStore } from '../peers/peer.ts';
import { type Raced, race } from '../peers/race.ts';

/** Two who write into one conversation at once: what is there afterwards of what was answered as added. */
export const races: Group = {
  name: 'races',
  about: 'two write into one conversation: turns answered as added that are lost afterwards',
  durability:
    'two processes on one file: SQLite, WAL, synchronous=NORMAL; two callers of one process: memory',
  async measure({ directory, quick }) {
    const turns = quick ? 100 : 300;
    const figures: Figure[] = [];
    for (const peer of [ownSqlite, sqliteSaver, mastra, adkDatabase]) {
      const place = join(directory, peer.name.replaceAll(' ', '-'));
      mkdirSync(place);
      const store = await peer.open(place);
      await store.begin('raced', []);
      const raced = await Promise.all(
        ['a', 'b'].map((who) =>
          runScript<Raced>('children/race.ts', [peer.name, place, 'raced', who, String(turns)]),
        ),
      );
      figures.push(await judge(peer, store, raced, 'two processes'));
    }
    for (const peer of [ownMemory, memorySaver, memorySession, adkMemory]) {
      const store = await peer.open(directory);
      await store.begin('raced', []);
      const raced = await Promise.all(
        ['a', 'b'].map(async (who) => race(await store.open('raced'), who, turns)),
      );
      figures.push(await judge(peer, store, raced, 'two callers'));
    }
    return figures;
  },
};

async function judge(
  peer: Peer,
  store: PeerStore,
  raced: readonly Raced[],
  who: string,
): Promise<Figure> {
  const added = raced.flatMap((one) => one.added);
  const conversation = await store.open('raced');
  const there = new Set(await conversation.last(10_000));
  await store.close();
  const lost = added.filter((id) => !there.has(id)).length;
  const errors = raced.flatMap((one) => Object.entries(one.errors));
  const refused = errors.reduce((sum, [, count]) => sum + count, 0);
  const why =
    errors.length === 0 ? '' : ` (${[...new Set(errors.map(([name]) => name))].join(', ')})`;
  const isOurs = peer === ownSqlite || peer === ownMemory;
  return {
    name: `${peer.name}, ${who}`,
    value: lost,
    unit: 'turns lost',
    ...(isOurs ? { goal: { atMost: 0 } } : {}),
    detail: `${added.length} answered as added, ${refused} refused${why}`,
  };
}
