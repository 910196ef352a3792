import { createSessions, type Sessions } from '@lexigram/ai-session';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Door, Running } from './door.ts';
import { type Answer, cookiesOf, send } from './send.ts';

/** Visitors without a name, and what comes of them at log-in, behind a door. */
export function tryVisitors(open: Door): void {
  let sessions: Sessions;
  let running: Running;

  beforeEach(async () => {
    sessions = await createSessions({ maxSessionsPerUser: 3 });
    running = await open(sessions);
  });
  afterEach(async () => {
    await running.close();
    await sessions.close();
  });

  function post(content: string, cookie?: string, user?: string): Promise<Answer> {
    const headers: [string, string][] = [];
    if (cookie !== undefined) headers.push(['cookie', cookie]);
    if (user !== undefined) headers.push(['x-user', user]);
    const body = JSON.stringify({ content });
    return send(running.port, { method: 'POST', path: '/turn', headers, body });
  }

  it('a visitor goes on by the cookie alone: the id is worth nothing to others', async () => {
    const first = await post('one');
    expect(first.status).toBe(200);
    const cookie = cookiesOf(first);
    const second = await post('two', cookie);
    expect(second.json).toEqual({ sessionId: first.json.sessionId, contents: ['one', 'two'] });
    expect(second.cookies).toEqual([]);
    const id = `${first.json.sessionId}`;
    const byId = await send(running.port, { path: '/state', headers: [['x-session-id', id]] });
    expect(byId.status).toBe(404);
    const unknown = await send(running.port, {
      path: '/state',
      headers: [['x-session-id', 'an-id-that-never-was-1']],
    });
    expect(unknown.text.replace('an-id-that-never-was-1', id)).toBe(byId.text);
    const both = await send(running.port, {
      path: '/state',
      headers: [
        ['x-session-id', id],
        ['cookie', cookie],
      ],
    });
    expect(both.json).toMatchObject({ sessionId: id, source: 'header', bound: id });
  });

  it('at log-in what a visitor said moves to the user, under an id that nobody else knows', async () => {
    const visitor = await post('one');
    const cookie = cookiesOf(visitor);
    const moved = await post('two', cookie, 'ada');
    expect(moved.json.contents).toEqual(['one', 'two']);
    expect(moved.json.sessionId).not.toBe(visitor.json.sessionId);
    const own = cookiesOf(moved);
    expect(own).not.toBe('');
    expect(moved.headers['cache-control']).toBe('no-store');
    expect((await post('three', own, 'ada')).json.contents).toEqual(['one', 'two', 'three']);

    // An answer that did not arrive: the old cookie leads to the same session again, for its user alone.
    const again = await post('four', cookie, 'ada');
    expect(again.json.sessionId).toBe(moved.json.sessionId);
    const other = await post('x', cookie, 'bob');
    expect(other.json.contents).toEqual(['x']);
    const stranger = await post('y', cookie);
    expect(stranger.json.contents).toEqual(['y']);
    // Logged out, the user's cookie opens nothing.
    expect((await post('z', own)).json.contents).toEqual(['z']);
  });

  it('a cookie that somebody planted shows them nothing of whoever logs in with it', async () => {
    const planted = cookiesOf(await post('planted'));
    const victim = await post('a secret', planted, 'ada');
    const attacker = await post('what did they say?', planted);
    expect(attacker.json.contents).toEqual(['what did they say?']);
    const id = `${victim.json.sessionId}`;
    const byId = await send(running.port, {
      path: '/state',
      headers: [
        ['x-session-id', id],
        ['cookie', planted],
      ],
    });
    expect(byId.status).toBe(404);
  });

  it('two requests of one log-in at once move the session once', async () => {
    const cookie = cookiesOf(await post('one'));
    const answers = await Promise.all([1, 2, 3, 4].map((n) => post(`n${n}`, cookie, 'ada')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(new Set(answers.map((a) => a.json.sessionId)).size).toBe(1);
    const { items } = await sessions.manager.list({ userId: 'ada' });
    expect(items.length).toBe(1);
  });

  it('of two users who log in with one cookie at once, one gets what the visitor said', async () => {
    const cookie = cookiesOf(await post('a secret'));
    const answers = await Promise.all(['ada', 'bob'].map((user) => post('mine', cookie, user)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const contents = answers.map((a) => (a.json.contents as string[]).join()).toSorted();
    expect(contents).toEqual(['a secret,mine', 'mine']);
  });

  it('a user without room logs in all the same, and what the visitor said moves once there is room', async () => {
    const cookie = cookiesOf(await post('one'));
    const user = { tenantId: 'acme', userId: 'ada' };
    const own = [];
    for (let n = 0; n < 3; n++) own.push(await sessions.manager.create(user));
    const headers = [['cookie', cookie] as const, ['x-user', 'ada'] as const];
    for (let n = 0; n < 2; n++) {
      const answer = await send(running.port, { path: '/state', headers });
      expect([answer.status, answer.json.sessionId, answer.cookies]).toEqual([200, null, []]);
    }
    const full = await post('no room', cookie, 'ada');
    expect([full.status, full.cookies]).toEqual([429, []]);
    // Nothing of it is to be seen in the visitor's session.
    expect((await post('two', cookie)).json.contents).toEqual(['one', 'two']);
    await sessions.manager.close(own[0]?.sessionId ?? '');
    expect((await post('three', cookie, 'ada')).json.contents).toEqual(['one', 'two', 'three']);
  });

  it('a cookie whose session has ended or is gone counts for nothing at log-in either', async () => {
    for (const end of ['close', 'delete'] as const) {
      const visitor = await post('one');
      await sessions.manager[end](`${visitor.json.sessionId}`);
      const answer = await post('two', cookiesOf(visitor), 'ada');
      expect([answer.status, answer.json.contents]).toEqual([200, ['two']]);
    }
  });

  it('a suspended session moves at log-in as it is', async () => {
    const visitor = await post('one');
    await sessions.manager.suspend(`${visitor.json.sessionId}`);
    const answer = await post('two', cookiesOf(visitor), 'ada');
    expect(answer.status).toBe(409);
    const { items } = await sessions.manager.list({ userId: 'ada' });
    expect(items.map(({ status, turnCount }) => [status, turnCount])).toEqual([['suspended', 1]]);
  });

  it('GET makes no session, HEAD neither, and no cookie goes out', async () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      const answer = await send(running.port, { method, path: '/ask' });
      expect(answer.status, method).toBe(method === 'OPTIONS' && answer.status === 204 ? 204 : 400);
      expect(answer.cookies).toEqual([]);
    }
    expect((await sessions.manager.list()).items).toEqual([]);
  });

  it('a page of another origin does not write with the cookie', async () => {
    const cookie = cookiesOf(await post('one'));
    const from = (origin: string | null, site?: string): Promise<Answer> =>
      send(running.port, {
        method: 'POST',
        path: '/turn',
        headers: [
          ['cookie', cookie],
          ...(origin === null ? [] : [['origin', origin] as const]),
          ...(site === undefined ? [] : [['sec-fetch-site', site] as const]),
        ],
        body: '{"content":"x"}',
      });
    expect((await from('https://evil.example')).status).toBe(403);
    expect((await from('null')).status).toBe(403);
    expect((await from(`http://127.0.0.1:${running.port}.evil.example`)).status).toBe(403);
    expect((await from(null, 'cross-site')).status).toBe(403);
    expect((await from(`http://127.0.0.1:${running.port}`)).status).toBe(200);
    expect((await from('http://rewritten.example', 'same-origin')).status).toBe(200);
    // Behind a proxy of which nobody told it, it cannot know that the page is its own.
    expect((await from(`https://127.0.0.1:${running.port}`)).status).toBe(200);
    expect((await from('https://sub.example', 'same-site')).status).toBe(403);
  });

  it('a page of another origin makes no session, so that it cannot put its cookie over a visitor’s', async () => {
    const ask = (path: string, headers: readonly (readonly [string, string])[]): Promise<Answer> =>
      send(running.port, {
        method: 'POST',
        path,
        headers: [['origin', 'https://evil.example'], ...headers],
      });
    const answer = await ask('/ask', []);
    expect([answer.status, answer.cookies]).toEqual([403, []]);
    expect((await sessions.manager.list()).items).toEqual([]);
    // What it does without a session is the application's to judge: providers of log-ins post their answers so.
    expect((await ask('/state', [])).status).toBe(200);
    const { sessionId } = await sessions.manager.create({ tenantId: 'acme', userId: 'ada' });
    const user = ['x-user', 'ada'] as const;
    expect((await ask(`/state?session_id=${sessionId}`, [user])).status).toBe(403);
    // A header it cannot send without asking first.
    expect((await ask('/state', [user, ['x-session-id', sessionId]])).status).toBe(200);
  });
}
