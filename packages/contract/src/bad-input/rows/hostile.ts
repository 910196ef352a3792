import { canary } from '../fixture.ts';
import { jsonPlaces, metadataPlaces, variablesPlaces } from '../json-places.ts';
import { fieldOf, optionPlaces, placesOf, sessionIdPlaces, writeOptionPlaces } from '../places.ts';
import { type BadInputRow, type BadValue, codes, type Place, rowsOf } from '../row.ts';

// Objects with code in them: getters, proxies, and graphs that are larger than what they are made of.

const turnPlaces: readonly Place[] = [
  {
    id: 'manager.addTurn turn',
    name: 'turn',
    call: ({ manager }, { sessionId }, turn) => manager.addTurn(sessionId, turn),
  },
  {
    id: 'manager.addTurns turns',
    name: 'turns',
    call: ({ manager }, { sessionId }, turn) => manager.addTurns(sessionId, [turn]),
  },
];

const inTurn = (id: string, wrap: (value: unknown) => object): Place => ({
  id: `manager.addTurn ${id}`,
  name: id,
  call: ({ manager }, { sessionId }, value) =>
    manager.addTurn(sessionId, { role: 'user', content: canary, ...wrap(value) }),
});

const partPlaces: readonly Place[] = [
  inTurn('turn.content', (part) => ({ content: [part] })),
  inTurn('turn.toolCalls', (call) => ({ toolCalls: [call] })),
  inTurn('turn.usage', (usage) => ({ usage })),
];

const objectPlaces: readonly Place[] = [
  ...turnPlaces,
  ...partPlaces,
  ...jsonPlaces,
  ...placesOf(optionPlaces, 'manager.getState', 'manager.list'),
  ...placesOf(writeOptionPlaces, 'manager.addTurn', 'manager.close', 'branches.fork'),
  ...placesOf(writeOptionPlaces, 'manager.addTurn').map((place) => fieldOf(place, 'expectedHead')),
  ...placesOf(optionPlaces, 'manager.list').map((place) => fieldOf(place, 'metadata')),
  {
    id: 'manager.rewind target',
    name: 'target',
    call: ({ manager }, { sessionId }, target) => manager.rewind(sessionId, target),
  },
  {
    id: 'manager.create input',
    name: 'input',
    call: ({ manager }, _, input) => manager.create(input),
  },
  {
    id: 'as owner',
    name: 'owner',
    call: async (services, _, owner) => (services as unknown as Scoping).as(owner),
  },
];

interface Scoping {
  as(owner: unknown): unknown;
}

/** Every field that any of the places reads. */
const fields = [
  ...['role', 'type', 'id', 'inputTokens', 'turns', 'status', 'reason', 'atSeq', 'toSeq'],
  ...['expectedSeq', 'userId', 'timelineId', 'a'],
];

function fault(): never {
  throw new Error(`a fault of the caller, ${canary}`);
}

function withGetters(): object {
  return Object.defineProperties(
    {},
    Object.fromEntries(fields.map((field) => [field, { enumerable: true, get: fault }])),
  );
}

function revoked(target: object = {}): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

/** The caller's own code fails: an input error that names the argument, with the fault as its cause. */
const faults: readonly BadValue[] = [
  { id: 'a revoked proxy', value: revoked(), code: codes.input },
  { id: 'a revoked proxy of an array', value: revoked([]), code: codes.input },
  { id: 'a proxy that tells no keys', value: new Proxy({}, { ownKeys: fault }), code: codes.input },
  {
    id: 'a proxy that tells no prototype',
    value: new Proxy({ strange: 1 }, { getPrototypeOf: fault, ownKeys: fault }),
    code: codes.input,
  },
  {
    id: 'a proxy that gives nothing',
    value: new Proxy(Object.fromEntries(fields.map((field) => [field, 1])), { get: fault }),
    code: codes.input,
  },
];

/** Only what belongs there is read, so that each place has its own getter. */
const getters: readonly BadInputRow[] = [
  ['manager.addTurn turn', 'role', 'turn'],
  ['manager.addTurn turn', 'content', 'turn'],
  ['manager.addTurns turns', 'metadata', 'turns'],
  ['manager.addTurn turn.content', 'type', 'turn.content'],
  ['manager.addTurn turn.toolCalls', 'arguments', 'turn.toolCalls'],
  ['manager.addTurn turn.usage', 'totalTokens', 'turn.usage'],
  ['manager.getState options', 'turns', 'options'],
  ['manager.list query', 'limit', 'query'],
  ['manager.list metadata', 'topic', 'metadata'],
  ['manager.addTurn options', 'expectedSeq', 'options'],
  ['manager.addTurn options', 'operationId', 'options'],
  ['manager.addTurn expectedHead', 'seq', 'expectedHead'],
  ['manager.close options', 'reason', 'options'],
  ['branches.fork options', 'atSeq', 'options'],
  ['manager.rewind target', 'toSeq', 'target'],
  ['manager.create input', 'userId', 'input'],
  ['manager.create input', 'metadata', 'input'],
  ['as owner', 'userId', 'owner'],
].flatMap(([id, field, name]) =>
  objectPlaces
    .filter((place) => place.id === id)
    .map(
      (place): BadInputRow => ({
        id: `${place.id}: a getter of '${field}' that throws`,
        call: (sessions, fixture) => {
          const value = Object.defineProperty(started(place), field as string, {
            enumerable: true,
            configurable: true,
            get: fault,
          });
          return place.call(sessions, fixture, value);
        },
        code: codes.input,
        mentions: [(name as string).split('.')[0] as string],
      }),
    ),
);

/** What is right but for the getter. */
function started({ id }: Place): object {
  if (id.endsWith('turn') || id.endsWith('turns')) return { role: 'user', content: canary };
  if (id.endsWith('content')) return { type: 'text', text: canary };
  if (id.endsWith('toolCalls')) return { id: 'call', name: 'tool', arguments: 1 };
  if (id.endsWith('input')) return { userId: 'user-42' };
  return {};
}

const revokedIds: readonly BadInputRow[] = rowsOf(
  [...sessionIdPlaces.slice(0, 3), inTurn('turn.agent', (agent) => ({ agent }))],
  [{ id: 'a revoked proxy', value: revoked(), code: codes.input }],
);

/** Far more than the limit could take, made of little: each reading is counted, and one too many throws. */
const patience = 600_000;

function* countdown(): Generator<number, never> {
  for (let n = 0; n < patience; n++) yield n;
  throw new Error('it was read on and on, long after the limit was passed');
}

/** 2^27 leaves in 27 arrays. */
function tree(): unknown {
  const reads = countdown();
  const leaf = Object.defineProperty({}, 'x', { enumerable: true, get: () => reads.next().value });
  let top: unknown = leaf;
  for (let level = 0; level < 27; level++) top = [top, top];
  return top;
}

/** An array of 2^32 items, of a length that no memory holds. */
function longArray(): unknown {
  const reads = countdown();
  return new Proxy([] as unknown[], {
    get: (target, key) => {
      if (key === 'length') return 4_294_967_295;
      if (typeof key === 'string' && /^\d+$/.test(key)) return reads.next().value;
      return Reflect.get(target, key) as unknown;
    },
  });
}

const long = 'x'.repeat(1_048_576);

/** An array of 1,000 times the same item of 1 MiB. */
function longItems(item: unknown): unknown {
  let reads = 0;
  return new Proxy([] as unknown[], {
    get: (target, key) => {
      if (key === 'length') return 1_000;
      if (typeof key === 'string' && /^\d+$/.test(key)) {
        if (++reads > 64) throw new Error('64 MiB were read, long after the limit was passed');
        return item;
      }
      return Reflect.get(target, key) as unknown;
    },
  });
}

function graph(place: Place, id: string, make: () => unknown): BadInputRow {
  return {
    id: `${place.id}: ${id}`,
    call: (sessions, fixture) => place.call(sessions, fixture, { a: make() }),
    code: codes.limit,
    mentions: [place.name, 'bytes'],
  };
}

const turnMetadata = jsonPlaces.filter(({ name }) => name === 'turn.metadata');
const graphs: readonly BadInputRow[] = [
  ...[...variablesPlaces.slice(1, 2), ...turnMetadata].map((place) =>
    graph(place, '2^27 leaves in 27 arrays', tree),
  ),
  ...[...metadataPlaces.slice(1, 2), ...variablesPlaces.slice(1, 2), ...turnMetadata].map((place) =>
    graph(place, 'an array of 2^32 items', longArray),
  ),
  ...[...metadataPlaces.slice(1, 2), ...variablesPlaces.slice(1, 2), ...turnMetadata].map((place) =>
    graph(place, '1,000 texts of 1 MiB', () => longItems(long)),
  ),
  ...[...metadataPlaces.slice(1, 2), ...variablesPlaces.slice(1, 2), ...turnMetadata].map((place) =>
    graph(place, '1,000 keys of 1 MiB, one in each object', () => longItems({ [long]: 1 })),
  ),
];

export const hostileRows: readonly BadInputRow[] = [
  ...rowsOf(objectPlaces, faults),
  ...rowsOf(jsonPlaces, [{ id: 'getters that throw', value: withGetters(), code: codes.input }]),
  ...getters,
  ...revokedIds,
  ...graphs,
];
