// #region fastify
import { Readable } from 'node:stream';
import { createSessions } from '@lexigram/ai-session';
import { sessionMiddleware } from '@lexigram/ai-session-web/fastify';
import fastify from 'fastify';
import { recordAnswer } from './record-answer.ts';
import { secrets } from './secrets.ts';

const sessions = await createSessions();
const app = fastify();

app.register(sessionMiddleware(sessions, { secrets }));

app.post<{ Body: string }>('/chat', async (request, reply) => {
  await request.aiSession.getOrCreate();
  const answer = Readable.from(recordAnswer(request.aiSession, request.body));
  return reply.type('text/plain').send(answer);
});

app.get('/history', async ({ aiSession: { sessionId, sessions } }) => {
  const options = { turns: 'all' } as const;
  return sessionId === null ? [] : (await sessions.manager.getState(sessionId, options)).turns;
});
// #endregion

app.listen({ port: Number(process.env['PORT'] ?? 3000), host: '127.0.0.1' }, (error, address) => {
  if (error) throw error;
  console.log(address);
});
