import {
  createSessions,
  project,
  RecencyContextPruner,
  type TurnInput,
} from '@lexigram/ai-session';
import { expect, it } from 'vitest';
import { openSqlite } from './kit/open-sqlite.ts';
import { randomOf } from './kit/random.ts';

it("a session's projection is that of its turns, after moves, in branches and with pins", async () => {
  const opened = await openSqlite({ clock: () => 1_700_000_000_000 });
  try {
    const config = { maxTurnsPerSession: 10_000, autoCheckpointInterval: null };
    const { branches, manager, projection } = await createSessions(config, { store: opened.store });
    const random = randomOf(42);
    const { sessionId } = await manager.create({ userId: 'u', systemPrompt: 'Be brief.' });
    let made = 0;
    const say = (): TurnInput => {
      made += 1;
      const role = made % 2 === 1 ? 'user' : 'assistant';
      return { turnId: `t${made}`, role, content: `number ${made} of topic ${made % 13}` };
    };
    const ids = [sessionId];
    for (let round = 0; round < 25; round++) {
      const id = ids[random.between(0, ids.length - 1)] as string;
      await manager.addTurns(id, Array.from({ length: random.between(1, 60) }, say));
      const { head } = await manager.getState(id);
      const seq = random.between(1, head.seq);
      if (round % 4 === 1) await manager.rewind(id, { toSeq: seq });
      if (round % 6 === 2) ids.push((await branches.fork(id, 'b', { atSeq: seq })).sessionId);
      const { turns } = await manager.getState(id, { turns: 'all' });
      const pin = turns[random.between(0, turns.length - 1)]?.turnId ?? '';
      if (round % 3 === 0) await projection.pin(id, pin);
      const pins = await opened.store.records(id, 'pin', { limit: 100 });
      const pinned = pins.map(({ key }) => key);
      for (const pruner of [undefined, new RecencyContextPruner()]) {
        const options = { maxTokens: 300 + random.between(0, 900), query: 'topic 7', pruner };
        const { messages } = project(turns, { ...options, pinned });
        expect((await projection.project(id, options)).messages, `round ${round}`).toEqual(
          messages,
        );
      }
    }
  } finally {
    await opened.dispose();
  }
});
