import { canary } from '../fixture.ts';
import { checkpointOptionPlaces, fieldOf, ofTurn, placesOf, writeOptionPlaces } from '../places.ts';
import { type BadInputRow, type BadValue, codes, type Place, rowsOf } from '../row.ts';
import { badNames, badTexts, brokenTexts, noStrings, nothing, nullValue } from '../values.ts';

const user = 'user-42';

function create(field: string): Place {
  return {
    id: `manager.create ${field}`,
    name: field,
    call: ({ manager }, _, value) => manager.create({ userId: user, [field]: value }),
  };
}

function listed(field: string): Place {
  return {
    id: `manager.list ${field}`,
    name: field,
    call: ({ manager }, _, value) => manager.list({ userId: user, [field]: value }),
  };
}

const owner = (field: string): Place => ({
  id: `as ${field}`,
  name: field,
  call: async (services, _, value) => {
    const { as } = services as unknown as { as: (owner: unknown) => unknown };
    return as({ userId: user, [field]: value });
  },
});

const required = [create('userId'), owner('userId')];
const userIds = [...required, listed('userId')];
const tenantIds = [create('tenantId'), owner('tenantId'), listed('tenantId')];

const printable256 = [
  ofTurn('name', (name) => ({ name })),
  ofTurn('model', (model) => ({ model })),
  ofTurn('provider', (provider) => ({ provider })),
  ofTurn('content[0].mediaType', (mediaType) => ({
    content: [{ type: 'file', mediaType, url: 'x' }],
  })),
  ofTurn('content[0].name', (name) => ({ content: [{ type: 'data', name, json: 1 }] })),
];

const printable512 = [
  ofTurn('toolCallId', (toolCallId) => ({ role: 'tool', toolCallId })),
  ofTurn('toolCalls[0].id', (id) => ({ toolCalls: [{ id, name: 'tool', arguments: {} }] })),
  ofTurn('toolCalls[0].name', (name) => ({ toolCalls: [{ id: 'call', name, arguments: {} }] })),
];

const names = [
  ofTurn('turnId', (turnId) => ({ turnId })),
  ofTurn('agent', (agent) => ({ agent })),
  ofTurn('visibleTo[1]', (name) => ({ visibleTo: ['writer', name] })),
  ofTurn('hiddenFrom[0]', (name) => ({ hiddenFrom: [name] })),
];

const batchTurnId: Place = {
  id: 'manager.addTurns turns[1].turnId',
  name: 'turns[1].turnId',
  call: ({ manager }, { sessionId }, turnId) =>
    manager.addTurns(sessionId, [
      { role: 'user', content: canary },
      { role: 'assistant', content: canary, turnId },
    ]),
};

const branchName: Place = {
  id: 'branches.fork branchName',
  name: 'branchName',
  call: ({ branches }, { sessionId }, name) => branches.fork(sessionId, name),
};

const labels = placesOf(writeOptionPlaces, 'manager.checkpoint', 'checkpoints.create').map(
  (place) => fieldOf(place, 'label'),
);
const reasons = placesOf(writeOptionPlaces, 'manager.close').map((place) =>
  fieldOf(place, 'reason'),
);

/** Content may be any text, also empty, if every engine can store it. */
const contents: readonly Place[] = [
  ofTurn('content', (content) => ({ content })),
  ofTurn('content[0].text', (text) => ({ content: [{ type: 'text', text }] })),
  ofTurn('content[1].text', (text) => ({
    content: [
      { type: 'text', text: canary },
      { type: 'reasoning', text },
    ],
  })),
  ofTurn('content[0].signature', (signature) => ({
    content: [{ type: 'reasoning', text: canary, signature }],
  })),
  ofTurn('content[0].url', (url) => ({ content: [{ type: 'file', mediaType: 'a/b', url }] })),
  ofTurn('content[0].data', (data) => ({ content: [{ type: 'file', mediaType: 'a/b', data }] })),
  {
    id: 'manager.edit content',
    name: 'content',
    call: ({ manager }, f, content) => manager.edit(f.sessionId, f.turnId, content),
  },
  create('systemPrompt'),
];

/** An array is content too, of parts: what is wrong is then the part. */
const noContents = noStrings.filter(({ id }) => id !== 'an array');
const requiredContents = contents.filter(({ name }) => /content$|text$/.test(name));

const operationIds: readonly Place[] = [
  ...[...writeOptionPlaces, ...checkpointOptionPlaces].map((place) =>
    fieldOf(place, 'operationId'),
  ),
  create('operationId'),
];

const noOperationIds: readonly BadValue[] = [
  nullValue,
  ...badTexts(255),
  ...['a b', ' a', 'ä', '日本', '😀', 'a\u00a0'].map((text) => ({
    id: JSON.stringify(text),
    value: text,
    code: codes.input,
    shows: ['visible ASCII'],
  })),
];

export const textRows: readonly BadInputRow[] = [
  ...rowsOf(required, [nothing, nullValue]),
  ...rowsOf(userIds, badTexts(256)),
  ...rowsOf(tenantIds, badTexts(256)),
  ...rowsOf(printable256, [nullValue, ...badTexts(256)]),
  ...rowsOf(printable256.slice(3), [nothing]),
  ...rowsOf(printable512, [nullValue, ...badTexts(512)]),
  ...rowsOf(printable512.slice(1), [nothing]),
  ...rowsOf([...names, batchTurnId], [nullValue, ...badNames(128)]),
  ...rowsOf(names.slice(2), [nothing]),
  ...rowsOf([branchName], [nothing, nullValue, ...badNames(128)]),
  ...rowsOf(labels, [nullValue, ...badTexts(128)]),
  ...rowsOf(reasons, [nullValue, ...badTexts(256)]),
  ...rowsOf(contents, [...noContents, ...brokenTexts]),
  ...rowsOf(requiredContents, [nothing, nullValue]),
  ...rowsOf(operationIds, noOperationIds),
];
