import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Sessions, TurnInput } from '@lexigram/ai-session';
import { BareEngine } from '../bare-engine.ts';
import { type BenchConversation, plainTurn, realConversations } from '../conversations.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { newSession, noCaps, openSessions } from '../sessions.ts';

/** What a turn, a checkpoint, a fork and a move take on the disk. */
export const bytes: Group = {
  name: 'bytes',
  about: 'bytes above a bare table (timeline, seq, json) with one unique index, pages as they are',
  durability: 'SQLite, WAL checkpointed, pages of 4 KiB',
  async measure(options) {
    const directory = process.env['CONVERSATIONS_DIR'];
    const all = await realConversations(directory);
    const figures: Figure[] = [];
    for (const file of new Set(all.map((conversation) => conversation.file))) {
      const own = all.filter((conversation) => conversation.file === file);
      figures.push(...(await measureTurns(file, own, options)));
    }
    return [...figures, ...(await measureRows(options))];
  },
};

/** A small file is loaded this often, so that half-empty pages count for what they are. */
const atLeast = 20_000;

async function measureTurns(
  file: string,
  conversations: readonly BenchConversation[],
  { directory, quick }: MeasureOptions,
): Promise<readonly Figure[]> {
  const config = { ...noCaps, autoCheckpointInterval: null };
  const sessions = await openSessions(directory, `${file}.db`, 'normal', config);
  const bare = new BareEngine(join(directory, `${file}-bare.db`), 'normal');
  const once = conversations.reduce((sum, { turns }) => sum + turns.length, 0);
  const times = Math.ceil((quick ? atLeast / 10 : atLeast) / once);
  const talks = Array.from({ length: times }, () => conversations).flat();

  const ids: string[] = [];
  for (const _ of talks) ids.push(await newSession(sessions));
  await sessions.close();
  const empty = sizeOf(join(directory, `${file}.db`));
  const again = await openSessions(directory, `${file}.db`, 'normal', config);
  const emptyBare = sizeOfDb(bare.db);
  for (const [i, { turns }] of talks.entries()) {
    await addAll(again, ids[i] as string, turns);
    const timeline = i + 1;
    bare.db.exec('BEGIN');
    const insert = bare.db.prepare('INSERT INTO turns (timeline, seq, json) VALUES (?, ?, ?)');
    for (const [n, turn] of turns.entries()) insert.run(timeline, n + 1, JSON.stringify(turn));
    bare.db.exec('COMMIT');
  }
  await again.close();
  const full = sizeOf(join(directory, `${file}.db`));
  const fullBare = sizeOfDb(bare.db);
  bare.db.exec('VACUUM');
  const vacuumedBare = sizeOfDb(bare.db);
  bare.close();
  const vacuumed = vacuumedSize(join(directory, `${file}.db`));

  const turns = once * times;
  const a = (n: number): string => short(n / turns);
  const perSession = short(empty / talks.length);
  return [
    {
      name: `a turn of ${file}`,
      value: (full - empty - (fullBare - emptyBare)) / turns,
      unit: 'bytes',
      goal: { atMost: 110 },
      detail: `${a(full - empty)} − ${a(fullBare - emptyBare)}; ${turns} turns (the file ${times} ×), after VACUUM ${a(vacuumed - vacuumedBare - empty + emptyBare)}; with the rows of ${talks.length} sessions (${perSession} each) ${a(full - fullBare)}`,
    },
  ];
}

async function addAll(sessions: Sessions, id: string, turns: readonly TurnInput[]): Promise<void> {
  for (let i = 0; i < turns.length; i += 100) {
    await sessions.manager.addTurns(id, turns.slice(i, i + 100));
  }
}

/** A checkpoint, a fork and a move each add rows; many of them, on one file each. */
async function measureRows({ directory, quick }: MeasureOptions): Promise<readonly Figure[]> {
  const count = quick ? 200 : 2_000;
  const kinds: Record<string, (sessions: Sessions, id: string) => Promise<unknown>> = {
    checkpoint: ({ checkpoints }, id) => checkpoints.create(id),
    fork: ({ branches }, id) => branches.fork(id, 'friendlier'),
    move: ({ manager }, id) => manager.rewind(id, { toSeq: 10 }),
  };
  const figures: Figure[] = [];
  for (const [kind, make] of Object.entries(kinds)) {
    const bySegments: number[] = [];
    const segments = [1, 31];
    for (const segment of segments) {
      const file = `${kind}-${segment}.db`;
      const path = join(directory, file);
      const config = { ...noCaps, autoCheckpointInterval: null };
      const sessions = await openSessions(directory, file, 'normal', config);
      const ids: string[] = [];
      for (let i = 0; i < count / 20; i++) ids.push(await withSegments(sessions, segment));
      await sessions.close();
      const before = sizeOf(path);
      const again = await openSessions(directory, file, 'normal', config);
      for (const id of ids) for (let i = 0; i < 20; i++) await make(again, id);
      await again.close();
      bySegments.push((sizeOf(path) - before) / count);
    }
    const [one = 0, many = 0] = bySegments;
    figures.push(
      {
        name: `a ${kind}`,
        value: one,
        unit: 'bytes',
        goal: { atMost: 600 },
        detail: `${count} of them, 20 on each of ${count / 20} sessions with one segment`,
      },
      {
        name: `a ${kind}, for each segment`,
        value: (many - one) / 30,
        unit: 'bytes',
        goal: { atMost: 32 },
        detail: `${short(many)} bytes with 31 segments`,
      },
    );
  }
  return figures;
}

/** A session of 10 turns on the first timeline, then one on each further one. */
async function withSegments(sessions: Sessions, segments: number): Promise<string> {
  const id = await newSession(sessions);
  const first = 10;
  await addAll(sessions, id, Array.from({ length: first }, plainTurn));
  for (let n = 1; n < segments; n++) {
    await sessions.manager.rewind(id, { toSeq: first + n - 1 });
    await sessions.manager.addTurn(id, plainTurn());
  }
  return id;
}

function sizeOf(path: string): number {
  const db = new DatabaseSync(path);
  const size = sizeOfDb(db);
  db.close();
  return size;
}

/** Bytes of the pages in use, once the WAL is in the file. */
function sizeOfDb(db: DatabaseSync): number {
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  return Number(db.prepare('SELECT sum(pgsize) AS bytes FROM dbstat').get()?.bytes ?? 0);
}

function vacuumedSize(path: string): number {
  const db = new DatabaseSync(path);
  db.exec('VACUUM');
  const size = sizeOfDb(db);
  db.close();
  return size;
}
