import { z } from 'zod';
import { type ConfigIssue, SessionConfigError } from '../errors.ts';
import { kindOf, shapeOf } from '../session/ids.ts';
import { deepFreeze, isPlainObject, setOwn } from '../session/json.ts';

const count = (min: number, max = 1_000_000_000) => z.int().min(min).max(max);
const text = z.string().min(1).max(256);
const orNone = <S extends z.ZodType>(schema: S) => schema.nullable();

/** Nodes of a cluster that a configuration may name. */
const maxNodes = 1_000;

/** The configuration's fields, their types and defaults: the one place that has them. */
const schema = z.strictObject({
  enabled: z.boolean().default(true),
  name: text.default('ai-session'),
  defaultSystemPrompt: orNone(z.string().min(1).max(262_144)).default(null),
  backend: z.enum(['in_memory', 'cache', 'database']).default('in_memory'),
  sessionTtl: count(0).default(86_400),
  sessionMaxAge: orNone(count(1)).default(null),
  cleanupIntervalS: z.number().min(0.01).max(86_400).default(600),
  retention: orNone(count(0)).default(null),
  maxTurnsPerSession: count(1, 10_000_000).default(1_000),
  onTurnLimit: z.enum(['close', 'refuse']).default('close'),
  maxSessionsPerUser: count(1).default(100),
  autoCheckpointInterval: orNone(count(1)).default(10),
  maxCheckpointsPerSession: count(1, 100_000).default(50),
  maxBranchesPerSession: count(0, 100_000).default(10),
  maxAgentsPerGroup: count(1, 1_000).default(10),
  defaultTurnStrategy: z
    .enum(['round_robin', 'priority', 'topic', 'llm_directed'])
    .default('round_robin'),
  cookieName: orNone(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/)).default(
    'lexigram_session',
  ),
  headerName: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/)
    .default('X-Session-ID'),
  consolidateOnClose: z.boolean().default(true),
  database: orNone(
    z.strictObject({
      url: z.string().min(1).max(4_096),
      synchronous: z.enum(['full', 'normal']).default('full'),
    }),
  ).default(null),
  cache: orNone(
    z.union([
      z.strictObject({ url: z.string().min(1).max(4_096) }),
      z.strictObject({ nodes: z.array(z.string().min(1).max(4_096)).min(1).max(maxNodes) }),
    ]),
  ).default(null),
});

/** The configuration, whole: every field has its value. Durations are seconds. */
export interface SessionConfig {
  /** Off: nothing is opened. */
  readonly enabled: boolean;
  /** The name under which a container registers it. */
  readonly name: string;
  /** Opens every new session as turn 1; null for none. */
  readonly defaultSystemPrompt: string | null;
  readonly backend: 'in_memory' | 'cache' | 'database';
  /** How long a session lives after its last change; 0 is for ever. */
  readonly sessionTtl: number;
  /** How long a session lives at most, counted from its creation; null is for ever. */
  readonly sessionMaxAge: number | null;
  /** How often the sweep runs. */
  readonly cleanupIntervalS: number;
  /** How long an expired session is kept before it is purged; null is for ever. */
  readonly retention: number | null;
  /** Turns of a history. Ten times as many may be written on all timelines of a session. */
  readonly maxTurnsPerSession: number;
  /** What the turn that fills the cap does: end the session, or leave it open for moves. */
  readonly onTurnLimit: 'close' | 'refuse';
  /** Sessions of one user that have not ended; branches do not count. */
  readonly maxSessionsPerUser: number;
  /** A checkpoint at each multiple of so many turns; null for none. */
  readonly autoCheckpointInterval: number | null;
  readonly maxCheckpointsPerSession: number;
  /** Living direct branches of a session. */
  readonly maxBranchesPerSession: number;
  readonly maxAgentsPerGroup: number;
  readonly defaultTurnStrategy: 'round_robin' | 'priority' | 'topic' | 'llm_directed';
  /** Null switches cookies off. */
  readonly cookieName: string | null;
  readonly headerName: string;
  readonly consolidateOnClose: boolean;
  /** For the backend `database`: `sqlite:path` or `sqlite::memory:`. */
  readonly database: DatabaseConfig | null;
  /** For the backend `cache`. */
  readonly cache: CacheConfig | null;
}

export interface DatabaseConfig {
  readonly url: string;
  /** `full`: an acknowledged turn survives a power cut; `normal`: a crash of the process. */
  readonly synchronous: 'full' | 'normal';
}

export type CacheConfig = { readonly url: string } | { readonly nodes: readonly string[] };

/** A configuration as a caller gives it: what is left out has its default. */
export type SessionConfigInput = {
  readonly [K in Exclude<keyof SessionConfig, 'database'>]?: SessionConfig[K] | undefined;
} & {
  readonly database?:
    | { readonly url: string; readonly synchronous?: 'full' | 'normal' | undefined }
    | null
    | undefined;
};

/**
 * Checks a configuration and fills in the defaults; the answer is frozen.
 *
 * @throws SessionConfigError with every problem
 */
export function parseSessionConfig(input: unknown = {}): SessionConfig {
  const read = readConfig(input);
  const parsed = schema.safeParse(read);
  const issues = parsed.success
    ? []
    : parsed.error.issues.flatMap((issue) => toIssues(issue, read));
  const wrong = new Set(issues.map(({ path }) => path));
  // A place has one message: the first.
  const first = issues.filter(({ path }, i) => issues.findIndex((one) => one.path === path) === i);
  const missing = missingParts(read).filter(({ path }) => !wrong.has(path));
  if (!parsed.success || missing.length > 0) throw new SessionConfigError([...first, ...missing]);
  return deepFreeze(parsed.data);
}

/** What a caller gave, each field read once. */
function readConfig(input: unknown): Record<string, unknown> {
  return reading('config', () => {
    if (isPlainObject(input)) return copyFields(input);
    const message = `expected an object, got ${shapeOf(input)}`;
    throw new SessionConfigError([{ path: 'config', message }]);
  });
}

/** What a getter or a proxy throws is a fault of the input. */
function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof SessionConfigError) throw cause;
    const message = 'could not be read: reading it threw an error';
    throw new SessionConfigError([{ path, message }], { cause });
  }
}

/** Fields, those of parts and the items of lists too, and nothing below: no field is deeper. */
function copyFields(value: Record<string, unknown>, parent?: string): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const path = parent === undefined ? key : `${parent}.${key}`;
    const field = reading(path, () => {
      const given = value[key];
      if (Array.isArray(given)) return given.slice(0, maxNodes + 1);
      return parent === undefined && isPlainObject(given) ? copyFields(given, key) : given;
    });
    setOwn(copy, key, field);
  }
  return copy;
}

function toIssues(issue: z.core.$ZodIssue, input: unknown): ConfigIssue[] {
  const path = issue.path.join('.');
  const value = issue.path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    input,
  );
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(issue.path.length === 0 ? schema.shape : (partShapes[path] ?? {}));
    return issue.keys.map((key) => ({
      path: path === '' ? key : `${path}.${key}`,
      message: `is not a field of the configuration${suggest(key, known)}`,
    }));
  }
  // An address may hold a password.
  const shown = /^(database|cache)/.test(path) ? shapeOf(value) : kindOf(value);
  return [{ path: path === '' ? 'config' : path, message: `${issue.message}; got ${shown}` }];
}

const partShapes: Readonly<Record<string, object>> = {
  database: { url: true, synchronous: true },
  cache: { url: true, nodes: true },
};

function missingParts(input: Readonly<Record<string, unknown>>): ConfigIssue[] {
  const isMissing = (part: unknown): boolean => part === undefined || part === null;
  if (input.backend === 'database' && isMissing(input.database)) {
    const message = "is missing: backend 'database' needs it, like 'sqlite:sessions.db'";
    return [{ path: 'database.url', message }];
  }
  if (input.backend === 'cache' && isMissing(input.cache)) {
    const message = "is missing: backend 'cache' needs it, like 'redis://localhost:6379'";
    return [{ path: 'cache.url', message }];
  }
  return [];
}

/** The known field that is nearest to a misspelt one, if one is near. */
function suggest(key: string, known: readonly string[]): string {
  const plain = (name: string): string => name.replaceAll('_', '').toLowerCase();
  const near = known
    .map((name) => ({ name, distance: editDistance(plain(name), plain(key).slice(0, 64)) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return near !== undefined && near.distance <= Math.max(2, key.length / 3)
    ? `; did you mean '${near.name}'?`
    : '';
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(
        Math.min(
          (row[j] as number) + 1,
          (next[j - 1] as number) + 1,
          (row[j - 1] as number) + same,
        ),
      );
    }
    row = next;
  }
  return row[b.length] as number;
}
