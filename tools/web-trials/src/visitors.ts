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
    const ids = new Set(
      answers.filter(({ status }) => status === 200).map((a) => a.json.sessionId),
    );
    expect(ids.size).toBe(1);
    const { items } = await sessions.manager.list({ userId: 'ada' });
    expect(items.length).toBe(1);
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
  });
}
