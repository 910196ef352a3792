import { Pool } from 'pg';

/**
 * What Postgres alone needs for a turn: one prepared statement that moves the session's row on and puts the turn as
 * JSON into `(timeline, seq, json)` with one unique index.
 */
export class BarePostgres {
  readonly pool: Pool;

  private constructor(pool: Pool) {
    this.pool = pool;
  }

  static async open(url: string, connections: number): Promise<BarePostgres> {
    const pool = new Pool({ connectionString: url, max: connections });
    await pool.query(`
      CREATE TABLE sessions (id bigint PRIMARY KEY, seq integer NOT NULL, updated_at bigint NOT NULL);
      CREATE TABLE turns (timeline bigint NOT NULL, seq integer NOT NULL, json text NOT NULL);
      CREATE UNIQUE INDEX turns_place ON turns (timeline, seq);
    `);
    return new BarePostgres(pool);
  }

  async create(id: number): Promise<void> {
    await this.pool.query('INSERT INTO sessions VALUES ($1, 0, 0)', [id]);
  }

  async addTurn(id: number, turn: unknown): Promise<void> {
    await this.pool.query({
      name: 'add',
      text: `WITH s AS (UPDATE sessions SET seq = seq + 1, updated_at = $3 WHERE id = $1 RETURNING seq)
        INSERT INTO turns (timeline, seq, json) SELECT $1::bigint, s.seq, $2::text FROM s RETURNING seq`,
      values: [id, JSON.stringify(turn), Date.now()],
    });
  }
}
