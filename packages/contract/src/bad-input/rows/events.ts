import { fieldOf } from '../places.ts';
import { type BadInputRow, type BadValue, codes, place, rowsOf } from '../row.ts';
import { badTexts, noOptions, noStrings, nullValue } from '../values.ts';

const type = place('events.on type', 'type', async ({ events }, _, value) =>
  events.on(value, () => undefined),
);
const listener = place('events.on listener', 'listener', async ({ events }, _, value) =>
  events.on('turn', value),
);
const options = place('events.subscribe options', 'options', async ({ events }, _, value) =>
  events.subscribe(value),
);
const after = (where: string, more: object | null) =>
  place(`events.subscribe after, ${where}`, 'after', async ({ events }, { sessionId }, value) =>
    events.subscribe({ ...(more ?? { sessionId }), after: value }),
  );

const input = (id: string, value: unknown, ...shows: readonly string[]): BadValue => ({
  id,
  value,
  code: codes.input,
  shows,
});

const types: readonly BadInputRow[] = rowsOf(
  [type],
  [
    nullValue,
    ...noStrings,
    ...['', 'turns', 'Turn', '*', '__proto__', 'constructor', 'SessionCreatedEvent', 'reset'].map(
      (text) => input(`'${text}'`, text, 'created, turn'),
    ),
  ],
);

const listeners: readonly BadInputRow[] = rowsOf(
  [listener],
  [undefined, null, 1, 'f', {}, [], { handleEvent: () => 1 }].map((value, i) =>
    input(`no function (${i})`, value, 'a function'),
  ),
);

const places = '~a~b';
const cursors: readonly BadInputRow[] = rowsOf(
  [after('one session', null), after('all', {}), after('a user', { userId: 'u' })],
  [
    nullValue,
    ...noStrings,
    ...['', 'garbage', 's', 'p', 's~', 's~1', 's~1~', 's~~x', 's~-1~x', 's~1~a b', 's~1~x\n']
      .concat(
        's~zzzzzzzzzzz~x',
        'p~1~2',
        'p~1~2~',
        'p~1 ~2~x',
        'p~*~2~x',
        `p~1~2~${'x'.repeat(99)}`,
      )
      .concat(`p~${'1'.repeat(41)}${places}`, `s~1~${'é'}`, 'x~1~2~y', 'S~1~x')
      .map((text) => input(`'${text.slice(0, 20)}'`, text)),
  ],
);

const kinds: readonly BadInputRow[] = [
  {
    id: 'events.subscribe after: a cursor of one session for all',
    call: async ({ events }, { sessionId }) =>
      events.subscribe({ after: await events.subscribe({ sessionId }).start }),
    code: codes.input,
    mentions: ['after', 'many sessions'],
  },
  {
    id: 'events.subscribe after: a cursor of all for one session',
    call: async ({ events }, { sessionId }) =>
      events.subscribe({ sessionId, after: await events.subscribe().start }),
    code: codes.input,
    mentions: ['after', 'one session'],
  },
  {
    id: 'events.subscribe: a session and a user',
    call: async ({ events }, { sessionId }) => events.subscribe({ sessionId, userId: 'user-42' }),
    code: codes.input,
    mentions: ['sessionId', 'userId'],
  },
  {
    id: 'events.subscribe: a tenant without a user',
    call: async ({ events }) => events.subscribe({ tenantId: 'acme' }),
    code: codes.input,
    mentions: ['tenantId', 'userId'],
  },
  {
    id: 'as(owner).events.subscribe: another user',
    call: async (sessions) => sessions.as({ userId: 'u' }).events.subscribe({ userId: 'v' }),
    code: codes.input,
    mentions: ['userId'],
  },
  {
    id: "as(owner).events.subscribe: another owner's session",
    call: async (sessions, { foreignId }) =>
      sessions.as({ userId: 'user-42' }).events.subscribe({ sessionId: foreignId }).next(),
    code: codes.notFound,
  },
  {
    id: 'events.subscribe: a session that never was',
    call: async ({ events }) => events.subscribe({ sessionId: 'nobody' }).next(),
    code: codes.notFound,
  },
];

const names: readonly BadInputRow[] = rowsOf(
  [
    fieldOf(options, 'userId'),
    place('events.subscribe tenantId', 'tenantId', async ({ events }, _, tenantId) =>
      events.subscribe({ userId: 'u', tenantId }),
    ),
  ],
  badTexts(256),
);

const signals: readonly BadInputRow[] = rowsOf(
  [fieldOf(options, 'signal')],
  [null, true, 'abort', {}, { aborted: true }, new EventTarget()].map((value, i) =>
    input(`no signal (${i})`, value, 'AbortSignal'),
  ),
);

const unknown: readonly BadInputRow[] = rowsOf(
  [options],
  [
    ...noOptions,
    ...['session', 'user', 'cursor', 'since', 'limit', 'type', '__proto'].map((field) =>
      input(`the unknown field '${field}'`, { [field]: 'x' }, field),
    ),
  ],
);

export const eventRows: readonly BadInputRow[] = [
  ...types,
  ...listeners,
  ...cursors,
  ...kinds,
  ...names,
  ...signals,
  ...unknown,
];
