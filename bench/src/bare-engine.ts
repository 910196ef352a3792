import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** As `SqliteSessionStore` sets it, so that both write their WAL back equally often. */
const walPages = 4_000;

/**
 * What the engine alone needs for a turn: two prepared statements in one transaction, the turn as JSON into
 * `(timeline, seq, json)` with one unique index, and the session's row moved on.
 */
export class BareEngine {
  readonly db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #commit: StatementSync;
  readonly #seqs = new Map<number, number>();

  constructor(path: string, synchronous: 'full' | 'normal') {
    const db = new DatabaseSync(path);
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${synchronous};
      PRAGMA wal_autocheckpoint = ${walPages};
    `);
    db.exec(`
      CREATE TABLE turns (timeline INTEGER NOT NULL, seq INTEGER NOT NULL, json TEXT NOT NULL);
      CREATE UNIQUE INDEX turns_place ON turns (timeline, seq);
      CREATE TABLE sessions (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, updated_at INTEGER NOT NULL);
    `);
    this.db = db;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#insert = db.prepare('INSERT INTO turns (timeline, seq, json) VALUES (?, ?, ?)');
    this.#update = db.prepare('UPDATE sessions SET seq = ?, updated_at = ? WHERE id = ?');
    this.#commit = db.prepare('COMMIT');
  }

  /** The id of a new session, which is that of its timeline. */
  create(): number {
    const { lastInsertRowid } = this.db
      .prepare('INSERT INTO sessions (seq, updated_at) VALUES (0, 0)')
      .run();
    const id = Number(lastInsertRowid);
    this.#seqs.set(id, 0);
    return id;
  }

  addTurn(session: number, turn: unknown): void {
    this.#begin.run();
    this.insert(session, turn);
    this.#commit.run();
  }

  /** Within a transaction of the caller's. */
  insert(session: number, turn: unknown): void {
    const seq = (this.#seqs.get(session) ?? 0) + 1;
    this.#seqs.set(session, seq);
    this.#insert.run(session, seq, JSON.stringify(turn));
    this.#update.run(seq, Date.now(), session);
  }

  close(): void {
    this.db.close();
  }
}
