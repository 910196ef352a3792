// #region express
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createSessions } from '@lexigram/ai-session';
import { sessionErrors, sessionMiddleware } from '@lexigram/ai-session-web/express';
import express from 'express';
import { recordAnswer } from './record-answer.ts';
import { secrets } from './secrets.ts';

const sessions = await createSessions();
const app = express();

app.use(sessionMiddleware(sessions, { secrets }));

app.post('/chat', express.text(), async (request, response) => {
  await request.aiSession.getOrCreate(); // before the answer begins, so that its cookie goes along
  response.type('text/plain');
  await pipeline(Readable.from(recordAnswer(request.aiSession, request.body)), response);
});

app.get('/history', async (request, response) => {
  const { sessionId, sessions } = request.aiSession;
  const options = { turns: 'all' } as const;
  response.json(sessionId && (await sessions.manager.getState(sessionId, options)).turns);
});

app.use(sessionErrors); // an ended session is 410, a full one 429, and so on
// #endregion

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const address = server.address();
  console.log(`http://127.0.0.1:${typeof address === 'object' && address?.port}`);
});
