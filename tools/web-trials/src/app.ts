import type { Sessions } from '@lexigram/ai-session';
import type { AiSession, Authenticated } from '@lexigram/ai-session-web';
import type { DoorOptions } from './door.ts';

/** What the application under test does, the same behind every door. */
export const app = {
  /** What the request is told without asking for a session. */
  state: (aiSession: AiSession, sessions: Sessions): object => ({
    sessionId: aiSession.sessionId,
    source: aiSession.source,
    status: aiSession.state?.status ?? null,
    anonymous: aiSession.owner.anonymous,
    bound: sessions.context.sessionId,
  }),
  ask: async (aiSession: AiSession, sessions: Sessions): Promise<object> => {
    const { sessionId, status } = await aiSession.getOrCreate();
    const { source } = aiSession;
    return { sessionId, status, source, bound: sessions.context.sessionId };
  },
  turn: async (aiSession: AiSession, content: string): Promise<object> => {
    const { sessionId } = await aiSession.getOrCreate();
    await aiSession.sessions.manager.addTurn(sessionId, { role: 'user', content });
    const { turns } = await aiSession.sessions.manager.getState(sessionId, { turns: 'all' });
    return { sessionId, contents: turns.map((turn) => turn.content) };
  },
};

/** Whoever the header `x-user` names; the application's own way to tell. */
export function userOf(header: string | null | undefined): Authenticated | null {
  return header ? { tenantId: 'acme', userId: header } : null;
}

export const secret = 'a key for tests, of thirty-two bytes or more';

/** What every door is opened with. */
export const preset: DoorOptions = { secrets: [secret], trustProxy: true };

/** The application's answer to a path; null for one that it does not have. */
export async function answerTo(
  path: string,
  aiSession: AiSession,
  sessions: Sessions,
  body: () => Promise<string>,
): Promise<object | null> {
  if (path === '/state') return app.state(aiSession, sessions);
  if (path === '/ask') return app.ask(aiSession, sessions);
  if (path === '/turn') return app.turn(aiSession, JSON.parse(await body()).content);
  return null;
}
