import type { AiSession } from '@lexigram/ai-session-web';
import { scriptedModel } from './scripted-model.ts';

/** Adds what was said, streams the model's answer, and adds that too: also what came of one that was broken off. */
export async function* recordAnswer(
  aiSession: AiSession,
  content: string,
): AsyncGenerator<string, void, undefined> {
  const { manager } = aiSession.sessions;
  const { sessionId } = await aiSession.getOrCreate();
  await manager.addTurn(sessionId, { role: 'user', content });
  const { turns } = await manager.getState(sessionId, { turns: 20 });
  let answer = '';
  let state: 'complete' | 'aborted' = 'aborted';
  try {
    for await (const delta of scriptedModel(turns)) {
      answer += delta;
      yield delta;
    }
    state = 'complete';
  } finally {
    const turn = { role: 'assistant', content: answer, model: 'scripted', state } as const;
    await manager.addTurn(sessionId, turn);
  }
}
