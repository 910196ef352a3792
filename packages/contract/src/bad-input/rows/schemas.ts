import { createSessions, type SessionStore } from '@lexigram/ai-session';
import { canary, type Fixture } from '../fixture.ts';
import { type BadInputRow, codes } from '../row.ts';
import { keys } from '../sized.ts';
import type { UntypedServices } from '../untyped.ts';

interface Issue {
  readonly message: string;
  readonly path?: readonly unknown[];
}
type Verdict = { readonly value: unknown } | { readonly issues: readonly Issue[] };

/** A Standard Schema by hand: `{ count: a number from 0 up }`. */
function schemaOf(validate: (value: unknown) => Verdict | Promise<Verdict>): object {
  return { '~standard': { version: 1, vendor: 'bad-input', validate } };
}

function judge(value: unknown, path: readonly unknown[]): Verdict {
  const { count } = value as { readonly count?: unknown };
  return typeof count === 'number' && count >= 0
    ? { value }
    : { issues: [{ message: 'expected a number from 0 up', path }] };
}

const kinds: Readonly<Record<string, object>> = {
  'a schema': schemaOf((value) => judge(value, ['count'])),
  'a schema that takes its time': schemaOf(async (value) => judge(value, ['count'])),
  'a schema with keys in objects': schemaOf((value) => judge(value, [{ key: 'count' }])),
};

type Call = (services: UntypedServices, fixture: Fixture, field: Field) => Promise<unknown>;
type Field = 'metadata' | 'variables';

const bad = { count: 'many' };
const turn = { role: 'user', content: canary };
const set = { metadata: 'setMetadata', variables: 'setVariables' } as const;

const calls: Readonly<Record<string, Call>> = {
  'create with a bad value': ({ manager }, _, field) =>
    manager.create({ userId: 'user-42', ...good(field), [field]: bad }),
  'create without a value': ({ manager }, _, field) =>
    manager.create({ userId: 'user-42', ...good(field), [field]: undefined }),
  'a bad patch': ({ manager }, { sessionId }, field) => manager[set[field]](sessionId, bad),
};
const withTurn: Readonly<Record<string, Call>> = {
  'a bad patch with a turn': ({ manager }, { sessionId }) =>
    manager.addTurn(sessionId, turn, { variables: bad }),
  'a bad patch with a batch': ({ manager }, { sessionId }) =>
    manager.addTurns(sessionId, [turn, turn], { variables: bad }),
};

/** The other field, as its schema wants it. */
function good(field: Field): object {
  return { [field === 'metadata' ? 'variables' : 'metadata']: { count: 1 } };
}

async function open(store: SessionStore, schemas: unknown): Promise<UntypedServices> {
  const create = createSessions as (config: object, parts: unknown) => Promise<unknown>;
  return (await create({}, { store, schemas })) as UntypedServices;
}

function rows(field: Field, given: Readonly<Record<string, Call>>): readonly BadInputRow[] {
  return Object.entries(kinds).flatMap(([kind, schema]) =>
    Object.entries(given).map(([what, call]) => ({
      id: `schemas.${field}: ${what}, ${kind}`,
      call: async ({ store }, fixture) =>
        call(await open(store, { metadata: schema, variables: schema }), fixture, field),
      code: codes.input,
      mentions: [`${field}.count`, 'expected a number from 0 up'],
    })),
  );
}

/** What a schema makes of a value is looked at like any other. */
const changed: readonly BadInputRow[] = [
  { id: 'a Map', value: new Map(), code: codes.input },
  { id: 'a bigint', value: { a: 1n }, code: codes.input },
  { id: 'a text', value: 'text', code: codes.input },
  { id: 'nothing', value: undefined, code: codes.input },
  { id: 'a refused key', value: JSON.parse('{"constructor":1}') as unknown, code: codes.input },
  { id: '1,001 keys', value: keys(1_001), code: codes.limit },
].flatMap(({ code, id, value }) =>
  (['metadata', 'variables'] as const).map((field) => ({
    id: `schemas.${field}: a schema that makes ${id} of it`,
    call: async ({ store }) => {
      const services = await open(store, { [field]: schemaOf(() => ({ value })) });
      return services.manager.create({ userId: 'user-42', [field]: { a: 1 } });
    },
    code,
    mentions: [field],
  })),
);

export const schemaRows: readonly BadInputRow[] = [
  ...rows('metadata', calls),
  ...rows('variables', { ...calls, ...withTurn }),
  ...changed,
];
