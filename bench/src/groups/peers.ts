import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { adkDatabase, adkMemory } from '../peers/adk.ts';
import { memorySaver, sqliteSaver } from '../peers/langgraph.ts';
import { mastra } from '../peers/mastra.ts';
import { memorySession } from '../peers/openai.ts';
import { ownMemory, ownSqlite } from '../peers/own.ts';
import { makeTurns, type Peer, type PeerConversation, type PeerTurn } from '../peers/peer.ts';
import { alternate, median, microseconds, ratioOf } from '../rounds.ts';

/** Other libraries that keep conversations in a file, beside ours. */
export const peersSqlite: Group = {
  name: 'peers-sqlite',
  about: 'a turn added, and the last 20 read, by others ÷ by ours',
  durability: 'all of them SQLite, WAL, synchronous=NORMAL: a turn survives a crash of the process',
  measure: (options) => measureAll(ownSqlite, [sqliteSaver, mastra, adkDatabase], options),
};

/** And those that keep them in memory. */
export const peersMemory: Group = {
  name: 'peers-memory',
  about: 'a turn added, and the last 20 read, by others ÷ by ours',
  durability: 'memory: nothing survives the process',
  measure: (options) => measureAll(ownMemory, [memorySaver, memorySession, adkMemory], options),
};

async function measureAll(
  own: Peer,
  peers: readonly Peer[],
  { directory, quick }: MeasureOptions,
): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const length of quick ? [10, 200] : [10, 1_000, 5_000]) {
    for (const peer of peers) {
      const place = join(directory, `${length}-${peer.name.replaceAll(' ', '-')}`);
      mkdirSync(place);
      figures.push(...(await measurePeer(own, peer, length, [place, place], quick)));
    }
  }
  return figures;
}

/** One other beside ours, at one length, each at a place of its own. */
export async function measurePeer(
  own: Peer,
  peer: Peer,
  length: number,
  [ownPlace, place]: readonly [string, string],
  quick: boolean,
): Promise<readonly Figure[]> {
  const sides = [await toSide(own, ownPlace, length), await toSide(peer, place, length)] as const;
  for (const { warmUp } of sides) await warmUp(quick ? 20 : 300);
  const figures: Figure[] = [];
  for (const isRead of [false, true]) {
    for (const inARow of [1, operations / 2]) {
      const rounds = quick ? 3 : 9;
      const pair = { one: () => sides[1].call(isRead), other: () => sides[0].call(isRead) };
      const { one, other } = await alternate(rounds, operations, pair, inARow);
      const { high, low } = ratioOf(one, other);
      const [theirs, ours] = [median(one), median(other)];
      figures.push({
        name: `${peer.name} ÷ ours, ${isRead ? 'last 20 of' : 'a turn at'} ${length}, ${inARow === 1 ? 'one by one' : `${inARow} in a row`}`,
        value: theirs / ours,
        unit: '×',
        detail: `${short(theirs)} ÷ ${short(ours)} µs; medians of ${rounds} rounds of ${operations} calls, ${inARow} of each in turn, ${short(low)}–${short(high)}`,
      });
    }
  }
  for (const { close } of sides) await close();
  return figures;
}

/**
 * Calls of a round; few, so that a conversation hardly grows. One by one with the other library's, each pays for what
 * that one left behind in caches and on the disk, which is most of a short call; some in a row pay for it once.
 */
const operations = 20;

interface Side {
  /** Does one call and answers its microseconds. */
  readonly call: (isRead: boolean) => Promise<number>;
  /** So many turns into a conversation of their own: what a process has done often is what counts. */
  readonly warmUp: (turns: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

async function toSide(peer: Peer, directory: string, length: number): Promise<Side> {
  const store = await peer.open(directory);
  let conversation: PeerConversation | undefined;
  let begun = 0;
  let added = length;
  return {
    async call(isRead) {
      // A short conversation is begun anew after two turns, so that it stays short.
      if (conversation === undefined || (length < 100 && added >= length + 2)) {
        conversation = await store.begin(`c-${begun++}`, makeTurns(0, length));
        added = length;
      }
      const there = conversation;
      if (isRead) return microseconds(() => there.last(20));
      const [turn] = makeTurns(added++, 1) as [PeerTurn];
      return microseconds(() => there.add(turn));
    },
    async warmUp(turns) {
      const there = await store.begin('warm', makeTurns(0, 1, 'warm'));
      for (const turn of makeTurns(1, turns, 'warm')) await there.add(turn);
      for (let n = 0; n < turns; n++) await there.last(20);
    },
    close: () => store.close(),
  };
}
