import { z } from 'zod';
import { SessionConfigError } from '../errors.ts';
import { shapeOf } from '../session/ids.ts';
import { deepFreeze, isPlainObject, setOwn } from '../session/json.ts';
import { type ConfigFault, toFaults } from './faults.ts';
import { type ConfigField, fieldsOf } from './fields.ts';

/** Nodes of a cluster that a configuration may name. */
const maxNodes = 1_000;

const shown = (n: number): string => n.toLocaleString('en-US');

function count(min: number, max = 1_000_000_000) {
  const expected = `expected a whole number from ${shown(min)} to ${shown(max)}`;
  return z.int(expected).min(min, expected).max(max, expected);
}

function seconds(min: number, max: number) {
  const expected = `expected a number from ${shown(min)} to ${shown(max)}`;
  return z.number(expected).min(min, expected).max(max, expected);
}

/** A budget: at least a nano-dollar, at most what whole nano-dollars can tell. */
function usd() {
  const expected = `expected USD, a number from 0.000000001 to ${shown(9_000_000)}`;
  return z.number(expected).min(1e-9, expected).max(9_000_000, expected);
}

function text(max: number) {
  const expected = `expected a text of 1 to ${shown(max)} characters`;
  return z.string(expected).min(1, expected).max(max, expected);
}

function token() {
  const expected = "expected 1 to 128 letters, digits and !#$%&'*+.^_`|~-";
  return z.string(expected).regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, expected);
}

function oneOf<const T extends readonly string[]>(...values: T) {
  return z.enum(values, `expected one of ${values.join(', ')}`);
}

const flag = () => z.boolean('expected true or false');
const part = <S extends z.core.$ZodShape>(fields: S) =>
  z.strictObject(fields, `expected the fields ${Object.keys(fields).join(', ')}`);
const orNone = <S extends z.ZodType>(schema: S) => schema.nullable();

/** The configuration's fields, their types and defaults: the one place that has them. */
const schema = z.strictObject({
  enabled: flag().default(true).describe('Off: nothing is opened.'),
  name: text(256).default('ai-session').describe('The name under which a container registers it.'),
  defaultSystemPrompt: orNone(text(262_144))
    .default(null)
    .describe('Opens every new session as turn 1; null for none.'),
  backend: oneOf('in_memory', 'cache', 'database')
    .default('in_memory')
    .describe('Where sessions are kept.'),
  sessionTtl: count(0)
    .default(86_400)
    .describe('Seconds from the last change until a session expires; 0 is never.'),
  sessionMaxAge: orNone(count(1))
    .default(null)
    .describe('Seconds from its creation until a session expires; null is never.'),
  cleanupIntervalS: seconds(0.01, 86_400)
    .default(600)
    .describe('How often the sweep runs, in seconds.'),
  retention: orNone(count(0))
    .default(null)
    .describe('Seconds that an expired session is kept before it is purged; null is for ever.'),
  maxTurnsPerSession: count(1, 10_000_000)
    .default(1_000)
    .describe('Turns of a history; ten times as many on all timelines of a session.'),
  onTurnLimit: oneOf('close', 'refuse')
    .default('close')
    .describe(
      'What the turn that fills the cap does: end the session, or leave it open for moves.',
    ),
  maxSessionsPerUser: count(1)
    .default(100)
    .describe('Sessions of one user that have not ended; branches do not count.'),
  maxCostPerSession: orNone(usd())
    .default(null)
    .describe('USD that a session may spend, on all its timelines; null is any amount.'),
  maxCostPerUser: orNone(usd())
    .default(null)
    .describe('USD that all sessions of a user may spend, deleted ones too; null is any amount.'),
  autoCheckpointInterval: orNone(count(1))
    .default(10)
    .describe('A checkpoint at each multiple of so many turns; null for none.'),
  maxCheckpointsPerSession: count(1, 100_000)
    .default(50)
    .describe('Past it the oldest automatic one goes, then the oldest without a label.'),
  maxBranchesPerSession: count(0, 100_000)
    .default(10)
    .describe('Living direct branches of a session.'),
  maxAgentsPerGroup: count(1, 1_000).default(10).describe('Agents of a group.'),
  defaultTurnStrategy: oneOf('round_robin', 'priority', 'topic', 'llm_directed')
    .default('round_robin')
    .describe('Who speaks next in a group.'),
  cookieName: orNone(token())
    .default('lexigram_session')
    .describe('The cookie that names a session; null switches cookies off.'),
  headerName: token().default('X-Session-ID').describe('The header that names a session.'),
  consolidateOnClose: flag().default(true).describe('Consolidates memory after a close.'),
  database: orNone(
    part({
      url: text(4_096).describe('sqlite: and a path, or postgres://host/database.'),
      synchronous: oneOf('full', 'normal')
        .default('full')
        .describe('What an answered write survives: a power cut, or a crash of the process.'),
    }),
  )
    .default(null)
    .describe("For the backend 'database'."),
  cache: orNone(
    z.union(
      [
        part({ url: text(4_096).describe('The address of one server.') }),
        part({
          nodes: z
            .array(text(4_096), `expected a list of 1 to ${shown(maxNodes)} addresses`)
            .min(1, `expected a list of 1 to ${shown(maxNodes)} addresses`)
            .max(maxNodes, `expected a list of 1 to ${shown(maxNodes)} addresses`)
            .describe('The addresses of some nodes of a cluster.'),
        }),
      ],
      'expected the field url or the field nodes',
    ),
  )
    .default(null)
    .describe("For the backend 'cache'."),
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
  /** USD that a session may spend on all its timelines; what comes after is refused. Null is any amount. */
  readonly maxCostPerSession: number | null;
  /** USD that all sessions of a user may spend together, deleted ones too; null is any amount. */
  readonly maxCostPerUser: number | null;
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
  /** For the backend `database`: `sqlite:path`, `sqlite::memory:` or `postgres://host/database`. */
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

/** The same schema without its types: for what is made from it. */
export const configSchema: z.ZodObject = schema;

/** The fields by their names, in their order. */
export const configFields: readonly ConfigField[] = fieldsOf(configSchema);

/**
 * Checks a configuration and fills in the defaults; the answer is frozen.
 *
 * @throws SessionConfigError with every problem
 */
export function parseSessionConfig(input: unknown = {}): SessionConfig {
  const read = readConfig(input);
  const faults = faultsOf(read);
  const wrong = new Set(faults.map(({ path }) => path.join('.')));
  const missing = missingParts(read).filter(({ path }) => !wrong.has(path.join('.')));
  const parsed = schema.safeParse(read);
  if (parsed.success && missing.length === 0) return deepFreeze(parsed.data);
  throw new SessionConfigError(
    [...faults, ...missing].map(({ path, message }) => ({
      path: path.length === 0 ? 'config' : path.join('.'),
      message,
    })),
  );
}

/** What is wrong with the fields that are given, one fault for each place. */
export function faultsOf(read: Readonly<Record<string, unknown>>): readonly ConfigFault[] {
  const parsed = schema.safeParse(read);
  return parsed.success ? [] : toFaults(parsed.error.issues, read, configFields);
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

function missingParts(input: Readonly<Record<string, unknown>>): readonly ConfigFault[] {
  const isMissing = (part: unknown): boolean => part === undefined || part === null;
  if (input.backend === 'database' && isMissing(input.database)) {
    const message = "is missing: backend 'database' needs it, like 'sqlite:sessions.db'";
    return [{ path: ['database', 'url'], message }];
  }
  if (input.backend === 'cache' && isMissing(input.cache)) {
    const message = "is missing: backend 'cache' needs it, like 'redis://localhost:6379'";
    return [{ path: ['cache', 'url'], message }];
  }
  return [];
}
