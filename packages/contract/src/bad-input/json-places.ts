import { canary } from './fixture.ts';
import { fieldOf, ofTurn, placesOf, writeOptionPlaces } from './places.ts';
import { type Place, place } from './row.ts';

/** An argument that is JSON of the caller's own, always an object here. */
export interface JsonPlace extends Place {
  /** How many levels the object may have. */
  readonly depth: number;
  /** Keys that are refused at any depth. */
  readonly refused: readonly string[];
}

const everyKey = ['__proto__', 'constructor', 'prototype'];

/** Metadata of sessions and checkpoints: 16 KiB, 64 keys, 8 levels. */
export const metadataPlaces: readonly JsonPlace[] = [
  place('manager.create metadata', 'metadata', ({ manager }, _, metadata) =>
    manager.create({ userId: 'user-42', metadata }),
  ),
  place('manager.setMetadata patch', 'metadata', ({ manager }, f, patch, id = f.sessionId) =>
    manager.setMetadata(id, patch),
  ),
  ...placesOf(writeOptionPlaces, 'manager.checkpoint', 'checkpoints.create').map((options) =>
    fieldOf(options, 'metadata'),
  ),
].map((argument) => ({ ...argument, depth: 8, refused: everyKey }));

/** Variables: 64 KiB, 1,000 keys, 32 levels. */
export const variablesPlaces: readonly JsonPlace[] = [
  place('manager.create variables', 'variables', ({ manager }, _, variables) =>
    manager.create({ userId: 'user-42', variables }),
  ),
  place('manager.setVariables patch', 'variables', ({ manager }, f, patch, id = f.sessionId) =>
    manager.setVariables(id, patch),
  ),
  ...placesOf(writeOptionPlaces, 'manager.addTurn', 'manager.addTurns').map((options) =>
    fieldOf(options, 'variables'),
  ),
].map((argument) => ({ ...argument, depth: 32, refused: everyKey }));

/** JSON inside a turn: 32 levels from the turn itself on. */
export const turnJsonPlaces: readonly JsonPlace[] = [
  { ...ofTurn('metadata', (metadata) => ({ metadata })), depth: 31, refused: ['__proto__'] },
  {
    id: 'manager.addTurns turns[1].metadata',
    name: 'turns[1].metadata',
    call: ({ manager }, { sessionId }, metadata) =>
      manager.addTurns(sessionId, [
        { role: 'user', content: canary },
        { role: 'user', content: canary, metadata },
      ]),
    depth: 31,
    refused: ['__proto__'],
  },
  ...['text', 'reasoning'].map((type) => ({
    ...ofTurn('content[0].extra', (extra) => ({ content: [{ type, text: canary, extra }] })),
    id: `manager.addTurn turn.content[0].extra of a ${type} part`,
    depth: 29,
    refused: ['__proto__'],
  })),
  {
    ...ofTurn('content[0].json', (json) => ({ content: [{ type: 'data', name: 'data', json }] })),
    depth: 29,
    refused: ['__proto__'],
  },
  {
    ...ofTurn('toolCalls[0].arguments', (given) => ({
      toolCalls: [{ id: 'call', name: 'tool', arguments: given }],
    })),
    depth: 29,
    refused: [],
  },
];

export const jsonPlaces: readonly JsonPlace[] = [
  ...metadataPlaces,
  ...variablesPlaces,
  ...turnJsonPlaces,
];

/** An object of so many levels. */
export function nested(levels: number, key = 'a'): object {
  let value: Record<string, unknown> = {};
  for (let level = 1; level < levels; level++) value = { [key]: value };
  return value;
}

/** An object with one member, an array in an array, of so many levels in all. */
export function nestedArrays(levels: number): object {
  let value: unknown[] = [];
  for (let level = 2; level < levels; level++) value = [value];
  return { a: value };
}
