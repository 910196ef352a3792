import assert from 'node:assert/strict';
import type { ContentPart, JsonValue, TurnInput } from '@lexigram/ai-session';
import { hostileKeys, hostileTexts } from '../hostile.ts';
import type { Law, LawBench } from '../law.ts';
import { say, turnsOf } from '../reading.ts';

/** What a turn is answered and read back as, by a second process over the same store. */
async function throughStore(bench: LawBench, turn: TurnInput): Promise<unknown> {
  const { manager } = await bench.open();
  const { sessionId } = await manager.create({ userId: 'u' });
  const { turn: answered } = await manager.addTurn(sessionId, turn);
  const [read] = await turnsOf((await bench.open()).manager, sessionId);
  assert.deepEqual(read, answered, 'the answer is what is read');
  return read;
}

/** Asserts that the fields of a turn come out as JSON.stringify writes them, keys in order. */
async function comesOut(bench: LawBench, turn: TurnInput): Promise<void> {
  const read = (await throughStore(bench, turn)) as Record<string, unknown>;
  for (const [key, value] of Object.entries(turn)) {
    assert.equal(JSON.stringify(read[key]), JSON.stringify(value), key);
  }
}

function nested(depth: number): JsonValue {
  let value: JsonValue = 'bottom';
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? { k: value } : [value];
  return value;
}

/** Promise 9: what went in comes out, as JSON.stringify would give it. */
export const roundTripLaws: readonly Law[] = [
  {
    id: 'round-trip/text',
    promise: 'Any well-formed Unicode comes out as it went in.',
    async check(bench) {
      for (const text of hostileTexts) {
        await comesOut(bench, { role: 'user', content: text });
        await comesOut(bench, { role: 'tool', content: [{ type: 'text', text }] });
      }
      await comesOut(bench, { role: 'assistant', content: [] });
    },
  },
  {
    id: 'round-trip/every-field',
    promise: 'Every field of a turn, and every kind of part, comes out as it went in.',
    async check(bench) {
      const extra = { e: [1, { f: null }] };
      const content: ContentPart[] = [
        { type: 'text', text: 'see', extra },
        { type: 'reasoning', text: 'hm', signature: 'c2ln', extra },
        { type: 'file', mediaType: 'image/png', url: 'file:///etc/passwd', extra },
        { type: 'file', mediaType: 'text/plain', data: 'aGk=' },
        { type: 'data', name: 'chart', json: [1, 'x', { y: false }], extra },
      ];
      const turn: TurnInput = {
        role: 'assistant',
        content,
        turnId: 't\'1" %_ 👍',
        agent: 'agent 👩‍🔬',
        name: 'Zoë',
        toolCalls: [{ id: 'call_1', name: 'find', arguments: '{"q": "as sent"  }' }],
        toolCallId: 'call_0',
        isError: false,
        state: 'aborted',
        model: 'vendor/model',
        provider: 'vendor',
        usage: {
          inputTokens: 5,
          outputTokens: 7,
          cacheReadTokens: 1,
          cacheWriteTokens: 2,
          reasoningTokens: 3,
          totalTokens: 99,
        },
        cost: 0.000_123_456,
        visibleTo: ['a', 'b'],
        hiddenFrom: ['c'],
        metadata: { deep: { er: [null, true] } },
        timestamp: '2001-02-03T04:05:06.789Z',
      };
      await comesOut(bench, turn);
    },
  },
  {
    id: 'round-trip/tool-arguments',
    promise:
      'The arguments of a tool come out verbatim, __proto__ among their keys, and pollute nothing.',
    async check(bench) {
      const calls = [hostileKeys, [hostileKeys], '{"__proto__":', '', 0, false, null].map(
        (args, i) => ({ id: `c${i}`, name: 'n', arguments: args as JsonValue }),
      );
      const turn: TurnInput = { role: 'assistant', content: '', toolCalls: calls };
      await comesOut(bench, turn);
      const read = (await throughStore(bench, turn)) as { toolCalls: { arguments: object }[] };
      const [first] = read.toolCalls;
      assert.ok(Object.hasOwn(first?.arguments ?? {}, '__proto__'));
      assert.equal(Object.getPrototypeOf(first?.arguments), Object.prototype);
      assert.equal(({} as { p?: unknown }).p, undefined);
    },
  },
  {
    id: 'round-trip/no-revival',
    promise:
      'Objects that look like constructors or references come out as the plain data they are.',
    async check(bench) {
      const json: JsonValue = [
        { lc: 1, type: 'secret', id: ['PATH'] },
        { lc: 2, type: 'constructor', id: ['Function'], args: ['return 1'] },
        { $type: 'Date', value: 0 },
        { '@class': 'java.lang.Runtime' },
        { $ref: '#/x', $oid: '1', $date: 0, __type: 'Map' },
        { type: 'Buffer', data: [1, 2] },
        '2026-01-01T00:00:00.000Z',
      ];
      await comesOut(bench, { role: 'tool', content: [{ type: 'data', name: 'd', json }] });
      const { manager } = await bench.open();
      const variables = { json };
      const { sessionId } = await manager.create({ userId: 'u', metadata: { json }, variables });
      const state = await manager.getState(sessionId);
      assert.deepEqual(state.metadata, { json });
      assert.deepEqual(state.variables, { json });
    },
  },
  {
    id: 'round-trip/numbers',
    promise:
      'Numbers come out as JSON.stringify writes them, to the last bit, in the answer as in the store.',
    async check(bench) {
      const json = [
        0.1,
        0.1 + 0.2,
        1e21,
        1e-7,
        1.797_693_134_862_315_7e308,
        5e-324,
        9_007_199_254_740_991,
        -9_007_199_254_740_991,
        123_456_789_012_345_680,
        4.35,
        1.0,
        -0,
      ];
      await comesOut(bench, { role: 'tool', content: [{ type: 'data', name: 'd', json }] });
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u', variables: { json } });
      await manager.setVariables(sessionId, { more: json });
      const { variables } = await manager.getState(sessionId);
      const written: unknown = JSON.parse(JSON.stringify(json));
      assert.deepEqual(variables, { json: written, more: written });
    },
  },
  {
    id: 'round-trip/key-order',
    promise: "The order of an object's keys is kept, whatever they are called.",
    async check(bench) {
      const json = { b: 1, a: { z: 1, y: { '10': 1, '9': 2, x: 3 } }, A: 2, 'a b': 3 };
      await comesOut(bench, { role: 'tool', content: [{ type: 'data', name: 'd', json }] });
      await comesOut(bench, { role: 'tool', content: '', metadata: json });
      const { manager } = await bench.open();
      const given = { userId: 'u', metadata: { json }, variables: { z: 1, json } };
      const { sessionId } = await manager.create(given);
      await manager.setVariables(sessionId, { b: json, a: 1 });
      await manager.setVariables(sessionId, { z: 2 });
      const { metadata, variables } = await manager.getState(sessionId);
      assert.equal(JSON.stringify(metadata), JSON.stringify({ json }));
      assert.equal(JSON.stringify(variables['json']), JSON.stringify(json));
      assert.equal(JSON.stringify(variables['b']), JSON.stringify(json));
    },
  },
  {
    id: 'round-trip/size',
    promise: 'Long texts and values nested to the limit come out whole.',
    async check(bench) {
      await comesOut(bench, say('x'.repeat(50_000)));
      await comesOut(bench, say('日👍é\n"\\'.repeat(20_000)));
      // The turn, the list and the part are three levels of the 32.
      const json = nested(29);
      await comesOut(bench, { role: 'tool', content: [{ type: 'data', name: 'd', json }] });
      const { manager } = await bench.open();
      const { sessionId } = await manager.create({ userId: 'u' });
      const long = '日'.repeat(20_000);
      await manager.setVariables(sessionId, { deep: nested(31), long });
      const { variables } = await manager.getState(sessionId);
      assert.deepEqual(variables, { deep: nested(31), long });
    },
  },
];
