import { canary } from '../fixture.ts';
import { nested } from '../json-places.ts';
import { type BadInputRow, codes } from '../row.ts';
import { keys, sized } from '../sized.ts';
import type { UntypedSessions } from '../untyped.ts';

// Each limit is named in its error, as `limits` names it, with the number that the documentation gives.

type Call = (sessions: UntypedSessions, sessionId: string) => Promise<unknown>;

const long = (length: number): string => 'x'.repeat(length + 1);
const turnWith =
  (fields: object): Call =>
  ({ manager }, id) =>
    manager.addTurn(id, { role: 'user', content: canary, ...fields });

const named: readonly (readonly [limit: string, max: number, call: Call])[] = [
  ['name', 128, turnWith({ turnId: long(128) })],
  ['name', 128, turnWith({ agent: long(128) })],
  ['name', 128, ({ branches }, id) => branches.fork(id, long(128))],
  ['text', 256, turnWith({ model: long(256) })],
  ['text', 256, ({ manager }) => manager.create({ userId: long(256) })],
  ['label', 128, ({ manager }, id) => manager.checkpoint(id, { label: long(128) })],
  ['operationId', 255, ({ manager }, id) => manager.undo(id, { operationId: long(255) })],
  ['reason', 256, ({ manager }, id) => manager.close(id, { reason: long(256) })],
  ['toolCall', 512, turnWith({ toolCallId: long(512) })],
  ['toolCalls', 1_000, turnWith({ toolCalls: new Array(1_001).fill(null) })],
  ['agents', 1_000, turnWith({ visibleTo: new Array(1_001).fill('a') })],
  ['turnCost', 1_000_000, turnWith({ cost: 2_000_000 })],
  ['turnBytes', 1_048_576, turnWith({ metadata: sized((a) => ({ a }), 1_048_576) })],
  ['depth', 32, turnWith({ metadata: nested(32) })],
  ['depth', 32, turnWith({ content: [{ type: 'data', name: 'd', json: nested(30) }] })],
  ['depth', 32, turnWith({ toolCalls: [{ id: 'a', name: 'b', arguments: nested(30) }] })],
  ['depth', 32, ({ manager }, id) => manager.setVariables(id, nested(33))],
  ['metadataDepth', 8, ({ manager }, id) => manager.setMetadata(id, nested(9))],
  ['metadataBytes', 16_384, ({ manager }, id) => manager.setMetadata(id, large(16_384))],
  ['metadataKeys', 64, ({ manager }, id) => manager.setMetadata(id, keys(65))],
  ['variablesBytes', 65_536, ({ manager }, id) => manager.setVariables(id, large(65_536))],
  ['variablesKeys', 1_000, ({ manager }, id) => manager.setVariables(id, keys(1_001))],
  [
    'variablesKeys',
    1_000,
    ({ manager }, id) => manager.setVariables(id, {}, { unset: Object.keys(keys(1_001)) }),
  ],
  [
    'metadataKeys',
    64,
    ({ manager }, id) => manager.setMetadata(id, {}, { unset: Object.keys(keys(65)) }),
  ],
  ['metadataKeys', 64, ({ manager }) => manager.list({ metadata: keys(65) })],
  ['batchTurns', 100, ({ manager }, id) => manager.addTurns(id, new Array(101).fill(null))],
  [
    'batchBytes',
    4_194_304,
    ({ manager }, id) => {
      const turn = sized((content) => ({ role: 'user', content }), 1_000_000);
      return manager.addTurns(id, [turn, turn, turn, turn, turn]);
    },
  ],
];

function large(bytes: number): object {
  return sized((a) => ({ a }), bytes + 1);
}

export const limitNameRows: readonly BadInputRow[] = named.map(([limit, max, call], i) => ({
  id: `the limit ${limit} is named with its ${max} (${i})`,
  call: (sessions, { sessionId }) => call(sessions, sessionId),
  code: codes.limit,
  mentions: new RegExp(`the limit ${limit} is ${max}\\b`),
}));
