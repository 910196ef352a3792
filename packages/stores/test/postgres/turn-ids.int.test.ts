import { createSessions } from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import { bitsOfId } from '../../src/postgres/id-place.ts';
import { openPlace } from '../kit/open-place.ts';
import { temporarySchema } from '../kit/postgres-schema.ts';

it('ids that share a place in the index of ids are told apart', async () => {
  const { place, query } = await temporarySchema();
  const ids = Array.from({ length: 100_000 }, (_, n) => `k${n}`);
  const [one, other] = [...Map.groupBy(ids, bitsOfId).values()].find((some) => some.length > 1) as [
    string,
    string,
  ];
  expect(one).not.toBe(other);
  const first = await openPlace(place);
  const made = await createSessions({}, { store: first });
  await made.manager.create({ userId: 'u', sessionId: 's1' });
  await first.close();
  for (const id of [one, other, one, other]) {
    const store = await openPlace(place);
    const { manager } = await createSessions({}, { store });
    const turn = { turnId: id, role: 'user', content: id } as const;
    const { turn: stored } = await manager.addTurn('s1', turn);
    expect(stored.content).toBe(id);
    expect((await store.findTurns(id, ['s1'])).map(({ turnId }) => turnId)).toEqual([id]);
    await store.close();
  }
  const stored = await query<{ turn_id: string }>('SELECT turn_id FROM {schema}.ai_turns');
  expect(stored.map((row) => row.turn_id).toSorted()).toEqual([one, other].toSorted());
});
