// #region hono
import { serve } from '@hono/node-server';
import { createSessions } from '@lexigram/ai-session';
import { sessionMiddleware } from '@lexigram/ai-session-web/hono';
import { Hono } from 'hono';
import { streamText } from 'hono/streaming';
import { recordAnswer } from './record-answer.ts';
import { secrets } from './secrets.ts';

const sessions = await createSessions();
const app = new Hono();

app.use(sessionMiddleware(sessions, { secrets }));

app.post('/chat', async (c) => {
  const aiSession = c.get('aiSession');
  await aiSession.getOrCreate();
  const said = await c.req.text();
  return streamText(c, async (stream) => {
    for await (const delta of recordAnswer(aiSession, said)) await stream.write(delta);
  });
});

app.get('/history', async (c) => {
  const { sessionId, sessions } = c.get('aiSession');
  const options = { turns: 'all' } as const;
  return c.json(sessionId && (await sessions.manager.getState(sessionId, options)).turns);
});
// #endregion

serve(
  { fetch: app.fetch, port: Number(process.env['PORT'] ?? 3000), hostname: '127.0.0.1' },
  (it) => {
    console.log(`http://127.0.0.1:${it.port}`);
  },
);
