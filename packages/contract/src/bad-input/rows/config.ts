import {
  BranchManager,
  CheckpointManager,
  createSessions,
  SessionAnalytics,
  type SessionErrorCode,
  SessionManager,
} from '@lexigram/ai-session';
import { type BadInputRow, codes } from '../row.ts';
import type { UntypedSessions } from '../untyped.ts';

const open = createSessions as (config?: unknown, parts?: unknown) => Promise<unknown>;

/** With the store under test, so that nothing else is opened if the configuration passes by mistake. */
function config(
  id: string,
  given: unknown,
  mentions: readonly string[],
  code: SessionErrorCode = codes.config,
): BadInputRow {
  return {
    id: `createSessions config: ${id}`,
    call: ({ store }) => open(given, { store }),
    code,
    mentions,
  };
}

const counts = [
  ...['sessionTtl', 'sessionMaxAge', 'retention', 'maxTurnsPerSession', 'maxSessionsPerUser'],
  ...['autoCheckpointInterval', 'maxCheckpointsPerSession', 'maxBranchesPerSession'],
  ...['maxAgentsPerGroup', 'cleanupIntervalS'],
];
const noCounts = ['10', -1, Number.NaN, Number.POSITIVE_INFINITY, 10n, true, [], {}, () => 1];
const fromOne = [
  ...['sessionMaxAge', 'maxTurnsPerSession', 'maxSessionsPerUser', 'autoCheckpointInterval'],
  ...['maxCheckpointsPerSession', 'maxAgentsPerGroup', 'cleanupIntervalS'],
];
const required = [
  ...['sessionTtl', 'maxTurnsPerSession', 'maxSessionsPerUser', 'maxCheckpointsPerSession'],
  ...['enabled', 'name', 'backend', 'headerName', 'onTurnLimit', 'consolidateOnClose'],
];
const choices: Readonly<Record<string, readonly unknown[]>> = {
  enabled: ['true', 1, 'yes', ''],
  consolidateOnClose: ['false', 0],
  backend: ['memory', 'IN_MEMORY', 'redis', '', 1, 'constructor'],
  onTurnLimit: ['stop', true, ''],
  defaultTurnStrategy: ['random', 'roundRobin', ''],
  maxCostPerSession: [0, -1, '10', Number.NaN, Number.POSITIVE_INFINITY, 1e-10, 9_000_001, 1n],
  maxCostPerUser: [0, -1, '10', Number.NaN, Number.POSITIVE_INFINITY, 1e-10, 9_000_001, 1n],
  name: ['', 'x'.repeat(257), 7],
  defaultSystemPrompt: ['', 7, ['x']],
  cookieName: ['', 'a b', 'a;b', 'a=b', 'a\r\nSet-Cookie: x', 'ä', 7],
  headerName: ['', 'a b', 'a:b', 'a\r\nX-Evil: 1', 'ä', 7],
  database: ['sqlite:x.db', 7, [], {}, { url: '' }, { url: 7 }, { url: 'x', synchronous: 'off' }],
  cache: ['redis://x', {}, { url: '' }, { nodes: [] }, { nodes: [''] }, { url: 'x', nodes: ['y'] }],
};

const fields: readonly BadInputRow[] = [
  ...counts.flatMap((field) =>
    noCounts.map((value) =>
      config(`${field} ${typeof value} ${String(value)}`, { [field]: value }, [field]),
    ),
  ),
  ...counts.slice(0, -1).map((field) => config(`${field} 1.5`, { [field]: 1.5 }, [field])),
  ...counts.map((field) => config(`${field} 2^53`, { [field]: 2 ** 53 }, [field])),
  ...fromOne.map((field) => config(`${field} 0`, { [field]: 0 }, [field])),
  ...required.map((field) => config(`${field} null`, { [field]: null }, [field])),
  ...Object.entries(choices).flatMap(([field, values]) =>
    values.map((value, i) => config(`${field} (${i})`, { [field]: value }, [field])),
  ),
];

const whole: readonly BadInputRow[] = [
  ...[null, 42, 'sqlite:x.db', true, [], () => ({}), Symbol('x'), 1n, new Map(), new Date(0)].map(
    (given) => config(`${typeof given} ${String(given)}`, given, ['config']),
  ),
  config('an unknown field', { sesionTtl: 1 }, ['sesionTtl', "did you mean 'sessionTtl'?"]),
  config("the original's name of a field", { session_ttl: 1 }, ["did you mean 'sessionTtl'?"]),
  config('an own __proto__', JSON.parse('{"__proto__":{"enabled":false}}'), ['__proto__']),
  config('an unknown field constructor', { constructor: 1 }, ['constructor']),
  config('a field of 10,000 characters', { ['k'.repeat(10_000)]: 1 }, ['kkk']),
  config('a field with a line feed', { 'a\nb': 1 }, []),
  config('a database without its url', { backend: 'database' }, ['database.url', 'sqlite:']),
  config('a cache without its url', { backend: 'cache' }, ['cache.url', 'redis:']),
  config('three mistakes', { backend: 'database', sessionTtl: -1, sesionTtl: 1 }, [
    ...['database.url', 'sessionTtl:', 'sesionTtl'],
  ]),
  config('switched off', { enabled: false }, ['enabled: false'], codes.unsupported),
  config('a getter that throws', throwing('sessionTtl'), []),
  config('a revoked proxy', revoked(), ['config']),
  config('a getter in database that throws', { database: throwing('url') }, ['database']),
  config('a revoked proxy for database', { database: revoked() }, ['database']),
  config('a revoked proxy for the nodes of the cache', { cache: { nodes: revoked() } }, ['cache']),
];

function throwing(field: string): object {
  const get = (): never => {
    throw new Error('a fault of the caller');
  };
  return Object.defineProperty({}, field, { enumerable: true, get });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
}

function parts(id: string, given: unknown, mentions: readonly string[]): BadInputRow {
  return {
    id: `createSessions parts: ${id}`,
    call: () => open({}, given),
    code: codes.input,
    mentions,
  };
}

const noStores = [null, 42, 'sqlite:x.db', true, {}, [], () => undefined];
const noSchemas = [null, 42, 'zod', [], { metadata: 5 }, { variables: {} }, { other: 1 }];

const replaced: readonly BadInputRow[] = [
  ...[null, 42, 'x', true, [], () => ({}), new Map()].map((given) =>
    parts(`${typeof given} ${String(given)}`, given, ['parts']),
  ),
  parts('the unknown part stores', { stores: 1 }, ['parts', "'stores'", 'known are store']),
  parts('an own __proto__', JSON.parse('{"__proto__":{}}'), ['__proto__']),
  ...noStores.map((store, i) => parts(`store (${i})`, { store }, ['store'])),
  ...noSchemas.map((schemas, i) => parts(`schemas (${i})`, { schemas }, ['schemas'])),
];

const services = { SessionManager, CheckpointManager, BranchManager, SessionAnalytics };

/** A service is made over `{ store, config?, schemas? }`. */
const constructed: readonly BadInputRow[] = Object.entries(services).flatMap(([name, Service]) => {
  const make = Service as new (over?: unknown) => unknown;
  const row = (
    id: string,
    over: (sessions: UntypedSessions) => unknown,
    mentions: readonly string[],
    code: SessionErrorCode = codes.input,
  ): BadInputRow => ({
    id: `new ${name}: ${id}`,
    call: async (sessions) => new make(over(sessions)),
    code,
    mentions,
  });
  return [
    row('nothing', () => undefined, []),
    row('null', () => null, []),
    row('no store', () => ({}), ['store']),
    row('a store of the wrong type', () => ({ store: 42 }), ['store']),
    row('an unknown field', ({ store }) => ({ store, confg: {} }), ['confg']),
    row(
      'a bad configuration',
      ({ store }) => ({ store, config: { sesionTtl: 1 } }),
      ['sesionTtl'],
      codes.config,
    ),
  ];
});

export const configRows: readonly BadInputRow[] = [
  ...fields,
  ...whole,
  ...replaced,
  ...constructed,
];
