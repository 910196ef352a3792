import type { DatabaseSync } from 'node:sqlite';
import { SessionUnsupportedError } from '@lexigram/ai-session';
import { rollBack } from './faults.ts';

/**
 * The schema, one migration for each version. A migration that was released is never changed. Integers are the
 * keys inside: a session's `key`, and the number of a timeline within its session.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE ai_sessions (
    key INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE,
    tenant_id TEXT,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL,
    timeline INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    turn_id TEXT,
    tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    lifetime_turns INTEGER NOT NULL,
    lifetime_tokens INTEGER NOT NULL,
    lifetime_cost INTEGER NOT NULL,
    variables_timeline TEXT,
    variables_position INTEGER NOT NULL,
    variables_revision INTEGER NOT NULL,
    variables_depth INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    moves INTEGER NOT NULL,
    timelines INTEGER NOT NULL,
    checkpoints INTEGER NOT NULL,
    checkpoints_held INTEGER NOT NULL,
    parent_session_id TEXT,
    branch_name TEXT,
    fork_seq INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
        expires_at INTEGER,
    -- What expires_at is ahead of updated_at.
    ttl INTEGER,
    closed_reason TEXT,
    due_at INTEGER
  ) STRICT;
  CREATE INDEX ai_sessions_owner ON ai_sessions (user_id, created_at);
  CREATE INDEX ai_sessions_created ON ai_sessions (created_at);
  CREATE INDEX ai_sessions_open ON ai_sessions (user_id, tenant_id)
    WHERE status IN ('active', 'suspended') AND parent_session_id IS NULL;
  CREATE INDEX ai_sessions_due ON ai_sessions (due_at) WHERE due_at IS NOT NULL;

  CREATE TABLE ai_timelines (
    session INTEGER NOT NULL,
    n INTEGER NOT NULL,
    base TEXT,
    lineage TEXT NOT NULL,
    chunks TEXT,
    root TEXT,
    previous INTEGER,
    PRIMARY KEY (session, n)
  ) STRICT, WITHOUT ROWID;

  -- Filled in order of arrival, so that all sessions share the pages at its end.
  CREATE TABLE ai_turns (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    timeline INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    turn_id TEXT NOT NULL,
    -- 0 for the turns that a session wrote itself, the timeline for copies that a merge brought.
    copy INTEGER NOT NULL,
    body TEXT NOT NULL,
        at INTEGER NOT NULL,
    -- When it was stored, if \`at\` is a time that the caller gave.
    stored_at INTEGER,
    revision INTEGER,
    tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    origin TEXT
  ) STRICT;
  CREATE UNIQUE INDEX ai_turns_place ON ai_turns (session, timeline, seq);
  CREATE UNIQUE INDEX ai_turns_id ON ai_turns (turn_id, session, copy);

    -- A session as it is. Its row is written by every change but a plain turn: what that moves is read from the turn,
  -- so that a turn costs one page less to write.
  CREATE VIEW ai_current AS
    SELECT s.key, s.session_id, s.tenant_id, s.user_id, s.status, s.timeline,
      ifnull(t.seq, s.seq) AS seq,
      ifnull(t.turn_id, s.turn_id) AS turn_id,
      ifnull(t.tokens, s.tokens) AS tokens,
      ifnull(t.cost, s.cost) AS cost,
      s.lifetime_turns + ifnull(t.seq - s.seq, 0) AS lifetime_turns,
      s.lifetime_tokens + ifnull(t.tokens - s.tokens, 0) AS lifetime_tokens,
      s.lifetime_cost + ifnull(t.cost - s.cost, 0) AS lifetime_cost,
      s.variables_timeline, s.variables_position, s.variables_revision, s.variables_depth,
      ifnull(t.revision, s.revision) AS revision,
      s.moves, s.timelines, s.checkpoints, s.checkpoints_held,
      s.parent_session_id, s.branch_name, s.fork_seq, s.created_at,
      coalesce(t.stored_at, t.at, s.updated_at) AS updated_at,
      ifnull(coalesce(t.stored_at, t.at) + s.ttl, s.expires_at) AS expires_at,
      s.closed_reason, s.due_at
    FROM ai_sessions s LEFT JOIN ai_turns t ON t.id =
      (SELECT id FROM ai_turns WHERE session = s.key AND timeline = s.timeline AND seq > s.seq
       ORDER BY seq DESC LIMIT 1);

  CREATE TABLE ai_variables (
    session INTEGER NOT NULL,
    timeline INTEGER NOT NULL,
    position INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    whole INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (session, timeline, position, revision)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE ai_records (
    session INTEGER NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    value TEXT NOT NULL,
    label TEXT,
    due_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (session, kind, key)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX ai_records_label ON ai_records (session, kind, label)
    WHERE label IS NOT NULL;
  CREATE INDEX ai_records_due ON ai_records (due_at) WHERE due_at IS NOT NULL;

  CREATE TABLE ai_journal (
    session INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    -- Several things of one change, in order.
    part INTEGER NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    data TEXT,
    PRIMARY KEY (session, revision, part)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX ai_journal_at ON ai_journal (at);
  `,
  `
  -- An automatic checkpoint is a mark on its turn: no record and no entry of the journal of its own. Those up to
  -- the session's floor are gone.
  ALTER TABLE ai_sessions ADD COLUMN checkpoint_floor INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE ai_turns ADD COLUMN checkpoint INTEGER;
  UPDATE ai_turns SET checkpoint = CAST(r.key AS INTEGER)
    FROM ai_records r JOIN ai_sessions s ON s.key = r.session
    WHERE r.kind = 'checkpoint' AND r.value ->> '$.automatic' = 1 AND ai_turns.session = s.key
      AND s.session_id || '.' || ai_turns.timeline = r.value ->> '$.point.timelineId'
      AND ai_turns.seq = r.value ->> '$.point.seq';
  DELETE FROM ai_records WHERE kind = 'checkpoint' AND EXISTS (SELECT 1 FROM ai_turns t
    WHERE t.session = ai_records.session AND t.checkpoint = CAST(ai_records.key AS INTEGER));
  DELETE FROM ai_journal WHERE type = 'checkpoint' AND data ->> '$.automatic' = 1;
  CREATE UNIQUE INDEX ai_turns_checkpoint ON ai_turns (session, checkpoint)
    WHERE checkpoint IS NOT NULL;
  DROP VIEW ai_current;
  CREATE VIEW ai_current AS
    SELECT s.key, s.session_id, s.tenant_id, s.user_id, s.status, s.timeline,
      ifnull(t.seq, s.seq) AS seq,
      ifnull(t.turn_id, s.turn_id) AS turn_id,
      ifnull(t.tokens, s.tokens) AS tokens,
      ifnull(t.cost, s.cost) AS cost,
      s.lifetime_turns + ifnull(t.seq - s.seq, 0) AS lifetime_turns,
      s.lifetime_tokens + ifnull(t.tokens - s.tokens, 0) AS lifetime_tokens,
      s.lifetime_cost + ifnull(t.cost - s.cost, 0) AS lifetime_cost,
      s.variables_timeline, s.variables_position, s.variables_revision, s.variables_depth,
      ifnull(t.revision, s.revision) AS revision,
      s.moves, s.timelines, s.checkpoints, s.checkpoints_held, s.checkpoint_floor,
      s.parent_session_id, s.branch_name, s.fork_seq, s.created_at,
      coalesce(t.stored_at, t.at, s.updated_at) AS updated_at,
      ifnull(coalesce(t.stored_at, t.at) + s.ttl, s.expires_at) AS expires_at,
      s.closed_reason, s.due_at
    FROM ai_sessions s LEFT JOIN ai_turns t ON t.id =
      (SELECT id FROM ai_turns WHERE session = s.key AND timeline = s.timeline AND seq > s.seq
       ORDER BY seq DESC LIMIT 1);
  `,
  // Timelines by the seq of their base. A fork writes a first timeline, which is found by its key.
  `
  CREATE INDEX ai_timelines_base ON ai_timelines (session, base ->> 1) WHERE n > 1;
  `,
  `
  -- By session first: ids that callers chose have no order, and would each touch another page of one large index.
  DROP INDEX ai_turns_id;
  CREATE UNIQUE INDEX ai_turns_id ON ai_turns (session, turn_id, copy);
  `,
  `
  -- What turns used, rolled up behind them: few rows for reports, without content, that outlive a delete.
  CREATE TABLE ai_usage (
    day INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    -- The empty text stands for none, here and in what follows.
    tenant_id TEXT NOT NULL,
    model TEXT NOT NULL,
    agent TEXT NOT NULL,
    turns INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    PRIMARY KEY (day, user_id, tenant_id, model, agent)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX ai_usage_owner ON ai_usage (user_id, tenant_id, day);

  -- The same by tools: a turn stands in the row of each tool that it called, or in that of none.
  CREATE TABLE ai_tool_usage (
    day INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    turns INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    PRIMARY KEY (day, user_id, tenant_id, tool)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX ai_tool_usage_owner ON ai_tool_usage (user_id, tenant_id, day);

  CREATE TABLE ai_spent (
    user_id TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    cost INTEGER NOT NULL,
    PRIMARY KEY (user_id, tenant_id)
  ) STRICT, WITHOUT ROWID;

  -- The last turn that was rolled up, in order of arrival.
  CREATE TABLE ai_usage_until (id INTEGER PRIMARY KEY CHECK (id = 1), turn INTEGER NOT NULL) STRICT;
  INSERT INTO ai_usage_until (id, turn) VALUES (1, 0);
  `,
  `
  -- Where an entry of the journal stands among the turns: both draw their ids from one row of numbers, so that what
  -- happened in all sessions has one order. \`last\` is a number that was given out, though its row may be gone;
  -- up to \`dropped\` entries may be missing that time has dropped.
  ALTER TABLE ai_journal ADD COLUMN id INTEGER;
  CREATE UNIQUE INDEX ai_journal_id ON ai_journal (id);
  CREATE TABLE ai_positions (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last INTEGER NOT NULL,
    dropped INTEGER NOT NULL
  ) STRICT;
  INSERT INTO ai_positions (one, last, dropped)
    SELECT 1, ifnull(max(id), 0), ifnull(max(id), 0) FROM ai_turns;
  `,
  // What merges took in: see `MergedPoint`.
  'ALTER TABLE ai_timelines ADD COLUMN merged TEXT',
  // Entries of the journal are dropped in the order in which they came: that is the order of their times.
  `
  UPDATE ai_journal SET id = -rowid_of.n FROM (SELECT session, revision, part,
      row_number() OVER (ORDER BY at DESC, session DESC, revision DESC, part DESC) AS n
    FROM ai_journal WHERE id IS NULL) AS rowid_of
    WHERE ai_journal.id IS NULL AND ai_journal.session = rowid_of.session
      AND ai_journal.revision = rowid_of.revision AND ai_journal.part = rowid_of.part;
  DROP INDEX ai_journal_at;
  `,
];

/** The newest schema that this version knows. */
export const schemaVersion: number = migrations.length;

/** The schema's version in a database; 0 if it has none of our tables. */
function readVersion(db: DatabaseSync): number {
  const ours = db
    .prepare(
      "SELECT count(*) AS columns FROM pragma_table_info('ai_schema') WHERE name IN ('version', 'at')",
    )
    .get();
  if (ours?.columns !== 2) return 0;
  const row = db.prepare('SELECT max(version) AS version FROM ai_schema').get();
  return Number(row?.version ?? 0);
}

/** @throws SessionUnsupportedError if the database was written by a newer version */
function checkVersion(version: number): void {
  if (version > schemaVersion) {
    throw new SessionUnsupportedError(
      `The database has schema version ${version}, this package knows versions up to ${schemaVersion}; upgrade @lexigram/ai-session-stores`,
    );
  }
}

/** @throws SessionUnsupportedError if another program has given our names to things of its own */
function checkNames(db: DatabaseSync): void {
  const made = migrations.join('').matchAll(/CREATE (?:UNIQUE )?(?:TABLE|INDEX|VIEW) (\w+)/g);
  const names = ['ai_schema', ...[...made].map((match) => match[1])];
  const row = db
    .prepare('SELECT name FROM sqlite_schema WHERE name IN (SELECT value FROM json_each(?))')
    .get(JSON.stringify(names));
  if (row === undefined) return;
  throw new SessionUnsupportedError(
    `The database has a table, view or index '${row.name}' that is not of this package; give sessions a file of their own`,
  );
}

/**
 * The schema's version in a database that we can use.
 *
 * @throws SessionUnsupportedError
 */
export function checkSchema(db: DatabaseSync): number {
  // One look at the database: others may be making the schema right now.
  db.exec('BEGIN');
  try {
    const version = readVersion(db);
    checkVersion(version);
    if (version === 0) checkNames(db);
    return version;
  } finally {
    rollBack(db);
  }
}

/** Brings a database up to date. Must run inside a write transaction: of many starters one does the work. */
export function migrate(db: DatabaseSync): void {
  const version = readVersion(db);
  checkVersion(version);
  if (version === 0) {
    checkNames(db);
    db.exec('CREATE TABLE ai_schema (version INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT');
  }
  for (let next = version + 1; next <= schemaVersion; next++) {
    db.exec(migrations[next - 1] as string);
    db.prepare('INSERT INTO ai_schema (version, at) VALUES (?, ?)').run(next, Date.now());
  }
}
