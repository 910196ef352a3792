import { createSessions, type Sessions } from '@lexigram/ai-session';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Door, Running } from './door.ts';
import { type Answer, cookiesOf, send } from './send.ts';

/** What handlers do with their answers and their sessions, behind a door. */
export function tryAnswers(open: Door): void {
  let sessions: Sessions;
  let running: Running;

  beforeAll(async () => {
    sessions = await createSessions();
    running = await open(sessions);
  });
  afterAll(async () => {
    await running.close();
    await sessions.close();
  });

  const post = (path: string, headers: readonly (readonly [string, string])[] = []) =>
    send(running.port, { method: 'POST', path, headers, body: '{"some":"thing"}' });
  const cookieOf = (answer: Answer) => [['cookie', cookiesOf(answer)]] as const;

  it.each(['/dressed', '/raw'])(
    'the cookie goes out beside those of others, and no cache keeps it, whatever the handler sets: %s',
    async (path) => {
      const answer = await post(path);
      expect(answer.status).toBe(200);
      expect(answer.cookies.map((cookie) => cookie.split('=', 1)[0]).toSorted()).toEqual([
        'lexigram_session',
        'other',
      ]);
      expect(answer.headers['cache-control']).toBe('no-store');
      const own = cookieOf(answer);
      const again = await post('/ask', own);
      expect(answer.headers['x-session-id']).toBe(again.json.sessionId);
      // Where no cookie of ours goes out the handler's word counts.
      const second = await post(path, own);
      expect(second.headers['cache-control']).toBe('public, max-age=60');
      expect(second.cookies.length).toBe(1);
    },
  );

  it('the session is bound in the handler, also after the body was read', async () => {
    const made = await post('/ask');
    expect(made.json.bound).toBe(made.json.sessionId);
    const again = await post('/ask', cookieOf(made));
    expect(again.json).toMatchObject({
      sessionId: made.json.sessionId,
      bound: made.json.sessionId,
    });
  });

  it('a session that ends while its request runs is not answered as if it went on', async () => {
    const made = await post('/ask');
    const { json } = await post('/lose', cookieOf(made));
    expect(json.codes).toEqual(['LEX_ERR_SES_008', 'LEX_ERR_SES_007']);
  });

  it('after the answer there is no session to be had', async () => {
    await post('/keep');
    expect((await post('/late')).json.code).toBe('LEX_ERR_SES_014');
    const kept = await post('/ask');
    await post('/keep', cookieOf(kept));
    // One that there was stays.
    expect((await post('/late')).json.code).toBe('null');
  });

  it('requests of one user that call each other back get a session each', async () => {
    const user = [['x-user', 'ada']] as const;
    const answers = await Promise.all([post('/pooled', user), post('/pooled', user)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(new Set(answers.map(({ json }) => json.sessionId)).size).toBe(2);
    for (const { json } of answers) expect(json.own).toBe(json.sessionId);
  });
}
