import { randomInt } from 'node:crypto';
import { SessionCorruptDataError, SessionUnsupportedError } from '@lexigram/ai-session';
import type { SqlRow } from './client.ts';
import type { Connections, Runner } from './connections.ts';

/**
 * The schema, one migration for each version. A migration that was released is never changed. Names are those of
 * the SQLite store. Texts that are compared are compared by their bytes.
 *
 * A row without a single NULL has no bitmap of them, which would take eight bytes in each turn: so nothing is
 * written as 0 or as an empty text there.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE ai_sessions (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Goes up with every write to the session, also with one that nobody sees.
    version bigint NOT NULL,
    tokens bigint NOT NULL,
    cost bigint NOT NULL,
    lifetime_turns bigint NOT NULL,
    lifetime_tokens bigint NOT NULL,
    lifetime_cost bigint NOT NULL,
    variables_position bigint NOT NULL,
    variables_revision bigint NOT NULL,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    expires_at bigint,
    due_at bigint,
    checkpoints bigint NOT NULL,
    checkpoints_held bigint NOT NULL,
    checkpoint_floor bigint NOT NULL,
    moves bigint NOT NULL,
    timelines integer NOT NULL,
    timeline integer NOT NULL,
    seq integer NOT NULL,
    variables_depth integer NOT NULL,
    fork_seq integer,
    session_id text COLLATE "C" NOT NULL CONSTRAINT ai_sessions_id UNIQUE,
    user_id text COLLATE "C" NOT NULL,
    tenant_id text COLLATE "C",
    status text COLLATE "C" NOT NULL,
    turn_id text COLLATE "C",
    variables_timeline text COLLATE "C",
    parent_session_id text COLLATE "C",
    branch_name text,
    closed_reason text
  ) WITH (fillfactor = 70);
  CREATE INDEX ai_sessions_owner ON ai_sessions (user_id, created_at, session_id);
  CREATE INDEX ai_sessions_created ON ai_sessions (created_at, session_id);
  CREATE INDEX ai_sessions_open ON ai_sessions (user_id, tenant_id)
    WHERE status IN ('active', 'suspended') AND parent_session_id IS NULL;
  CREATE INDEX ai_sessions_due ON ai_sessions (due_at) WHERE due_at IS NOT NULL;

  -- Compared and raised by what makes a session under a cap of its owner, so that the cap holds.
  CREATE TABLE ai_owners (
    version bigint NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    -- Empty for none.
    tenant_id text COLLATE "C" NOT NULL,
    -- Nano-dollars of sessions whose tombstones are gone.
    spent_before bigint NOT NULL DEFAULT 0,
    CONSTRAINT ai_owners_key PRIMARY KEY (user_id, tenant_id)
  ) WITH (fillfactor = 70);

  CREATE TABLE ai_timelines (
    session bigint NOT NULL,
    n integer NOT NULL,
    previous integer,
    -- That of the base.
    base_seq integer,
    base text,
    lineage text NOT NULL,
    chunks text,
    root text,
    merged text,
    CONSTRAINT ai_timelines_key PRIMARY KEY (session, n)
  );
  -- A fork writes a first timeline, which is found by its key.
  CREATE INDEX ai_timelines_base ON ai_timelines (session, base_seq) WHERE n > 1;

  CREATE TABLE ai_turns (
    session bigint NOT NULL,
    at bigint NOT NULL,
    tokens bigint NOT NULL,
    cost bigint NOT NULL,
    -- Where it stands among all changes: see ai_positions.
    position bigint NOT NULL,
    -- 24 bits of its id (bitsOfId) behind the session's key, whose upper bits are shifted out: keys are given out one
    -- after another, so that what is left tells 2^39 sessions apart. In an index the id itself would take more room,
    -- and an expression more time.
    id_place bigint NOT NULL,
    timeline integer NOT NULL,
    seq integer NOT NULL,
    -- 0 on a timeline that was filled out of sight.
    revision integer NOT NULL,
    -- The number of the automatic checkpoint that stands here, or 0.
    checkpoint integer NOT NULL,
    turn_id text COLLATE "C" NOT NULL,
    -- Where a copy that a merge brought was first written, or empty.
    origin text NOT NULL,
    -- When it was stored, if "at" is a time that the caller gave, or empty.
    stored_at text NOT NULL,
    body text NOT NULL,
    -- Checked when a statement ends: the turns of a timeline may move on together.
    CONSTRAINT ai_turns_place PRIMARY KEY (session, timeline, seq) DEFERRABLE
  );
  -- That an id is new is looked at by the statement that writes it; of one session, those come one after another.
  CREATE INDEX ai_turns_id ON ai_turns (id_place);
  CREATE INDEX ai_turns_position ON ai_turns (position) WITH (fillfactor = 100);
  CREATE UNIQUE INDEX ai_turns_checkpoint ON ai_turns (session, checkpoint) WHERE checkpoint > 0;

  CREATE TABLE ai_variables (
    session bigint NOT NULL,
    position bigint NOT NULL,
    revision bigint NOT NULL,
    timeline integer NOT NULL,
    whole boolean NOT NULL,
    value text NOT NULL,
    CONSTRAINT ai_variables_key PRIMARY KEY (session, timeline, position, revision)
  );

  CREATE TABLE ai_records (
    session bigint NOT NULL,
    version bigint NOT NULL,
    due_at bigint,
    created_at bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    label text COLLATE "C",
    value text NOT NULL,
    CONSTRAINT ai_records_key PRIMARY KEY (session, kind, key)
  );
  CREATE UNIQUE INDEX ai_records_label ON ai_records (session, kind, label)
    WHERE label IS NOT NULL;
  CREATE INDEX ai_records_due ON ai_records (due_at) WHERE due_at IS NOT NULL;

  CREATE TABLE ai_journal (
    session bigint NOT NULL,
    revision bigint NOT NULL,
    at bigint NOT NULL,
    position bigint NOT NULL,
    -- Several things of one change, in order.
    part integer NOT NULL,
    type text NOT NULL,
    data text,
    CONSTRAINT ai_journal_key PRIMARY KEY (session, revision, part)
  );
  CREATE INDEX ai_journal_at ON ai_journal (at);
  CREATE INDEX ai_journal_position ON ai_journal (position) WITH (fillfactor = 100);

  -- A position is base and the number of the transaction that wrote. All of one commit share it. What is below the
  -- oldest transaction that still runs stays as it is: nothing comes before it any more.
  CREATE TABLE ai_positions (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    -- So that positions go on rising when the tables were moved to a server whose transactions are fewer.
    base bigint NOT NULL,
    -- Those that the base was made for, by the oid of ai_sessions: others are a copy.
    tables oid NOT NULL,
    -- Up to here entries of the journal may be missing that time has dropped, and anything that a copy lacks.
    dropped bigint NOT NULL,
    -- Until when somebody listens for the bell.
    listening bigint NOT NULL
  ) WITH (fillfactor = 10);
  INSERT INTO ai_positions (base, tables, dropped, listening) VALUES (0, 'ai_sessions'::regclass, 0, 0);

  -- What turns used, rolled up without content; up to which position that was done.
  CREATE TABLE ai_usage (
    turns bigint NOT NULL,
    calls bigint NOT NULL,
    unpriced bigint NOT NULL,
    tokens bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cost bigint NOT NULL,
    day integer NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    -- Empty for none, as are model and agent.
    tenant_id text COLLATE "C" NOT NULL,
    model text COLLATE "C" NOT NULL,
    agent text COLLATE "C" NOT NULL,
    CONSTRAINT ai_usage_key PRIMARY KEY (day, user_id, tenant_id, model, agent)
  );
  CREATE INDEX ai_usage_owner ON ai_usage (user_id, tenant_id, day);
  CREATE TABLE ai_tool_usage (
    turns bigint NOT NULL,
    calls bigint NOT NULL,
    unpriced bigint NOT NULL,
    tokens bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_tokens bigint NOT NULL,
    reasoning_tokens bigint NOT NULL,
    cost bigint NOT NULL,
    day integer NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    tenant_id text COLLATE "C" NOT NULL,
    tool text COLLATE "C" NOT NULL,
    CONSTRAINT ai_tool_usage_key PRIMARY KEY (day, user_id, tenant_id, tool)
  );
  CREATE INDEX ai_tool_usage_owner ON ai_tool_usage (user_id, tenant_id, day);
  CREATE TABLE ai_usage_until (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL
  ) WITH (fillfactor = 10);
  INSERT INTO ai_usage_until (position) VALUES (0);
  `,
];

/** The newest schema that this version knows. */
const schemaVersion = migrations.length;

/** Older ones lack what the statements use. */
const oldestServer = 130_000;

/** What must be so before anything is asked: the server, its encoding, and the version of our tables. */
const look = `
  SELECT current_setting('server_version_num')::integer AS server,
    current_setting('server_encoding') AS encoding,
    current_setting('synchronous_commit') AS synchronous,
    (SELECT count(*) FROM pg_catalog.pg_attribute
       WHERE attrelid = to_regclass($1) AND attname IN ('version', 'at') AND NOT attisdropped) AS columns,
    EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $2) AS schema`;

/** The tables that a store was opened on. */
export interface Tables {
  /** That of ai_sessions: tables that take their place have another one. */
  readonly oid: number;
  /** Of positions. */
  readonly base: number;
}

interface Opened {
  readonly tables: Tables;
  /** What the server has as `synchronous_commit`. */
  readonly synchronous: string;
}

/**
 * Brings a schema up to date. Of many processes that start at once one does the work, and the others wait for it.
 *
 * @throws SessionUnsupportedError if the server or the tables are not such that we can work with them
 */
export async function openSchema(
  connections: Connections,
  schema: string,
  until: number,
): Promise<Opened> {
  const facts = await readFacts(connections, schema, until);
  const version = facts.columns === 2 ? await readVersion(connections, schema, until) : 0;
  checkVersion(version);
  if (version < schemaVersion) {
    // Others that migrate are waited for longer than a lock otherwise is.
    const end = Math.max(until, performance.now() + 30_000);
    await connections.transaction(end, (runner) => migrate(runner, schema, end));
  }
  const tables = await keepRising(connections, schema, until);
  return { synchronous: facts.synchronous as string, tables };
}

/** More transactions than a server ever wrote between a dump and its end. */
const gap = 4_294_967_296;

/**
 * Tables that were restored, here or on a server whose transactions are fewer, lack what came after the dump. So
 * positions go on where no cursor can be yet, and older cursors are told of the gap.
 */
async function keepRising(
  connections: Connections,
  schema: string,
  until: number,
): Promise<Tables> {
  const last = (table: string): string => `(SELECT max(position) FROM "${schema}".${table})`;
  const text = `UPDATE "${schema}".ai_positions p
    SET base = k.base, tables = k.tables, dropped = k.base + k.next - 1
    FROM (SELECT o.base AS old_base, o.tables AS old_tables, n.tables, n.next,
        greatest(o.base, n.last + ${gap} - n.next) AS base
      FROM "${schema}".ai_positions o
      CROSS JOIN (SELECT '"${schema}".ai_sessions'::regclass::oid AS tables,
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next,
        greatest(${last('ai_turns')}, ${last('ai_journal')}, ${last('ai_usage_until')},
          (SELECT dropped FROM "${schema}".ai_positions)) AS last) n
      WHERE o.tables <> n.tables OR n.last >= o.base + n.next) k
    WHERE p.base = k.old_base AND p.tables = k.old_tables`;
  await connections.read({ text, values: [] }, until);
  const tables = `SELECT '"${schema}".ai_sessions'::regclass::oid::bigint AS oid, base FROM "${schema}".ai_positions`;
  const [row] = await connections.read({ text: tables, values: [] }, until);
  if (row === undefined) throw new SessionCorruptDataError('ai_positions', 'its row is missing');
  return row as unknown as Tables;
}

async function readFacts(connections: Connections, schema: string, until: number): Promise<SqlRow> {
  const [facts = {}] = await connections.read(
    { text: look, values: [`"${schema}".ai_schema`, schema] },
    until,
  );
  if ((facts.server as number) < oldestServer) {
    throw new SessionUnsupportedError(
      `The server is PostgreSQL ${Math.floor((facts.server as number) / 10_000)}; it must be 13 or newer`,
    );
  }
  if (facts.encoding !== 'UTF8') {
    throw new SessionUnsupportedError(
      `The database has the encoding ${facts.encoding}; sessions hold all of Unicode and need UTF8`,
    );
  }
  return facts;
}

async function readVersion(
  connections: Connections,
  schema: string,
  until: number,
): Promise<number> {
  const text = `SELECT max(version) AS version FROM "${schema}".ai_schema`;
  const [row] = await connections.read({ text, values: [] }, until);
  return Number(row?.version ?? 0);
}

function checkVersion(version: number): void {
  if (version > schemaVersion) {
    throw new SessionUnsupportedError(
      `The database has schema version ${version}, this package knows versions up to ${schemaVersion}; upgrade @lexigram/ai-session-stores`,
    );
  }
}

async function migrate(runner: Runner, schema: string, until: number): Promise<void> {
  const run = (text: string, ...values: unknown[]): Promise<SqlRow[]> =>
    runner.run({ text, values }, until).then(({ rows }) => rows);
  await run("SET LOCAL lock_timeout = '30s'");
  await run("SET LOCAL statement_timeout = '30s'");
  // Of the transaction, not of the session: it works behind a pooler, and is gone with whoever holds it.
  await run(
    'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))',
    `lexigram-ai-session ${schema}`,
  );
  const [facts = {}] = await run(look, `"${schema}".ai_schema`, schema);
  if (facts.schema !== true) await run(`CREATE SCHEMA "${schema}"`);
  await run(`SET LOCAL search_path TO "${schema}"`);
  let version = 0;
  if (facts.columns === 2) {
    const [row] = await run('SELECT max(version) AS version FROM ai_schema');
    version = Number(row?.version ?? 0);
    checkVersion(version);
  } else {
    await checkNames(run, schema);
    await run('CREATE TABLE ai_schema (version integer PRIMARY KEY, at bigint NOT NULL)');
  }
  for (let next = version + 1; next <= schemaVersion; next++) {
    await run(migrations[next - 1] as string);
    await run(
      'INSERT INTO ai_schema (version, at) VALUES ($1::integer, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)',
      next,
    );
  }
  // What a process remembers of tables that are gone fits no session of these.
  if (version === 0) {
    const text = "SELECT setval(pg_get_serial_sequence('ai_sessions', 'key'), $1::bigint)";
    await run(text, randomInt(1, 2 ** 47));
  }
  await run('COMMIT');
}

/** @throws SessionUnsupportedError if another program has given our names to things of its own */
async function checkNames(
  run: (text: string, ...values: unknown[]) => Promise<SqlRow[]>,
  schema: string,
): Promise<void> {
  const made = migrations.join('').matchAll(/CREATE (?:UNIQUE )?(?:TABLE|INDEX|VIEW) (\w+)/g);
  const names = ['ai_schema', ...[...made].map((match) => match[1])];
  const [row] = await run(
    `SELECT c.relname AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])`,
    schema,
    names,
  );
  if (row === undefined) return;
  throw new SessionUnsupportedError(
    `The schema '${schema}' has a table, view or index '${row.name}' that is not of this package; give sessions a schema of their own`,
  );
}
