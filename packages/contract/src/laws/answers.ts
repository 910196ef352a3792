import assert from 'node:assert/strict';
import type { JsonValue, TurnInput } from '@lexigram/ai-session';
import { hostileKeys, hostileTexts } from '../hostile.ts';
import type { Law } from '../law.ts';
import { picture, say, sessionOf, turnsOf } from '../reading.ts';
import { refused } from '../refusals.ts';

/** Keys that metadata and variables refuse. */
const refusedKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Promise 9 for what sessions hold beside their turns, and for what is answered. */
export const answerLaws: readonly Law[] = [
  {
    id: 'round-trip/session-data',
    promise: 'Metadata and variables come out as they went in, under whichever keys.',
    async check(bench) {
      const rest: Record<string, JsonValue> = Object.fromEntries(
        Object.entries(hostileKeys).filter(([key]) => !refusedKeys.has(key)),
      );
      const { '': empty, ...metadata } = rest;
      assert.equal(empty, 'empty');
      const { manager } = await bench.open();
      const made = await manager.create({ userId: 'u', metadata, variables: rest });
      assert.deepEqual(made.metadata, metadata);
      for (const [key, value] of Object.entries(rest)) {
        await manager.setVariables(made.sessionId, {}, { unset: [key] });
        await manager.setVariables(made.sessionId, { [key]: [value, hostileTexts as string[]] });
      }
      const state = await manager.getState(made.sessionId);
      for (const [key, value] of Object.entries(rest)) {
        assert.deepEqual(state.variables[key], [value, hostileTexts], key);
      }
      assert.deepEqual(state.metadata, metadata);
    },
  },
  {
    id: 'round-trip/names',
    promise: 'Names come out as they went in: of users, tenants, branches, labels and reasons.',
    async check(bench) {
      const sessions = await bench.open();
      const { branches, checkpoints, manager } = sessions;
      for (const name of ["O'Brien", '日本 👍', '%_\\"$1', '{"a":1}', '[x]*?', 'null', '-- x']) {
        const owner = { tenantId: name, userId: name };
        const { sessionId } = await manager.create(owner);
        const branch = await branches.fork(sessionId, name);
        const { label } = await checkpoints.create(sessionId, { label: name });
        const { closedReason, tenantId, userId } = await manager.close(sessionId, { reason: name });
        assert.deepEqual(
          [branch.branchName, label, closedReason, tenantId, userId],
          [name, name, name, name, name],
        );
        assert.equal((await manager.list(owner)).items.length, 2);
      }
    },
  },
  {
    id: 'round-trip/refused-at-the-door',
    promise: 'Ill-formed text and U+0000 are refused wherever they stand, and nothing is written.',
    async check(bench) {
      const sessions = await bench.open();
      const { manager } = sessions;
      const { sessionId } = await sessionOf(sessions, 1);
      const before = await picture(bench.store, sessionId);
      for (const bad of ['\uD800', 'a\uDC00b', 'a\0b']) {
        const turns: TurnInput[] = [
          say(bad),
          say('x', { metadata: { [bad]: 1 } }),
          { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'n', arguments: [bad] }] },
        ];
        for (const turn of turns) await refused(manager.addTurn(sessionId, turn), 'input');
        await refused(manager.addTurns(sessionId, [say('fine'), say(bad)]), 'input');
        await refused(manager.setVariables(sessionId, { v: bad }), 'input');
        await refused(manager.setMetadata(sessionId, { m: { n: bad } }), 'input');
      }
      assert.deepEqual(await picture(bench.store, sessionId), before);
    },
  },
  {
    id: 'round-trip/copies',
    promise:
      'What a caller does to its own objects later changes nothing that was stored or answered.',
    async check(bench) {
      const { manager } = await bench.open();
      const data = { list: [1] };
      const turn = { role: 'user' as const, content: 'x', metadata: data };
      const { sessionId } = await manager.create({ userId: 'u', metadata: data, variables: data });
      const added = manager.addTurn(sessionId, turn, { variables: { more: data } });
      data.list.push(2);
      turn.content = 'changed';
      assert.equal((await added).turn.content, 'x');
      const { metadata, turns, variables } = await manager.getState(sessionId, { turns: 'all' });
      assert.equal(turns[0]?.content, 'x');
      assert.deepEqual(turns[0]?.metadata, { list: [1] });
      assert.deepEqual(metadata, { list: [1] });
      assert.deepEqual(variables, { list: [1], more: { list: [1] } });
    },
  },
  {
    id: 'round-trip/frozen',
    promise: 'Answers are immutable snapshots: deeply frozen, and later writes do not reach them.',
    async check(bench) {
      const sessions = await bench.open({ autoCheckpointInterval: 1 });
      const { branches, checkpoints, manager } = sessions;
      const data = { o: { l: [{}] } };
      const made = await manager.create({ userId: 'u', metadata: data, variables: data });
      const { sessionId } = made;
      const turn: TurnInput = {
        ...say('x'),
        content: [{ type: 'data', name: 'd', json: data }],
        usage: { inputTokens: 1 },
        metadata: data,
      };
      const added = await manager.addTurn(sessionId, turn);
      const batch = await manager.addTurns(sessionId, [turn], { variables: { p: data } });
      const [a, b] = (await checkpoints.list(sessionId)).items.map((item) => item.checkpointId);
      const answers = {
        made,
        added,
        batch,
        fork: await branches.fork(sessionId, 'b'),
        branches: await branches.list(sessionId),
        checkpoints: await checkpoints.list(sessionId),
        diff: await checkpoints.diff(String(a), String(b)),
        list: await manager.list(),
        turns: await turnsOf(manager, sessionId),
        state: await manager.getState(sessionId, { turns: 'all' }),
        rewind: await manager.rewind(sessionId, { toSeq: 1 }),
      };
      const then = structuredClone(answers);
      await manager.addTurn(sessionId, say('later'), { variables: { o: 1 } });
      await manager.setMetadata(sessionId, { o: 1 });
      assert.deepEqual(answers, then);
      delete (answers as { turns?: unknown }).turns;
      for (const [name, answer] of Object.entries(answers)) assertFrozen(answer, name);
    },
  },
];

function assertFrozen(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) return;
  assert.ok(Object.isFrozen(value), `${path} is not frozen`);
  for (const [key, member] of Object.entries(value)) assertFrozen(member, `${path}.${key}`);
}
