// #region next
// app/chat/route.ts
import { createSessions } from '@lexigram/ai-session';
import { SessionMiddleware } from '@lexigram/ai-session-web';
import { recordAnswer } from './record-answer.ts';
import { secrets } from './secrets.ts';

const sessions = await createSessions();
const middleware = new SessionMiddleware(sessions, { secrets });

export const POST = middleware.fetch(async (request, aiSession) => {
  await aiSession.getOrCreate();
  const answer = recordAnswer(aiSession, await request.text());
  const body = ReadableStream.from(answer).pipeThrough(new TextEncoderStream());
  return new Response(body, { headers: { 'Content-Type': 'text/plain; charset=utf-8' } });
});

export const GET = middleware.fetch(async (_request, { sessionId, sessions }) => {
  const options = { turns: 'all' } as const;
  return Response.json(sessionId && (await sessions.manager.getState(sessionId, options)).turns);
});
// #endregion
