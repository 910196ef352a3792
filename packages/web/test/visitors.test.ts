import { createSessions, type Sessions } from '@lexigram/ai-session';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secret } from './kit/app.ts';
import { doors, type Running } from './kit/doors.ts';
import { type Answer, cookiesOf, send } from './kit/send.ts';

describe.each(Object.entries(doors))('behind %s', (_name, open) => {
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
});

describe('behind fetch', () => {
  const open = doors.fetch as (typeof doors)[string];

  it('keys are rotated: an old one is accepted, the first one signs', async () => {
    const sessions = await createSessions();
    const old = await open(sessions, { secrets: [secret] });
    const first = await send(old.port, { method: 'POST', path: '/ask' });
    await old.close();
    const next = 'the next key, of thirty-two bytes or more as well';
    const rotated = await open(sessions, { secrets: [next, secret] });
    const headers = [['cookie', cookiesOf(first)]] as const;
    const answer = await send(rotated.port, { method: 'POST', path: '/ask', headers });
    expect(answer.json.sessionId).toBe(first.json.sessionId);
    await rotated.close();
    const gone = await open(sessions, { secrets: [next] });
    const refused = await send(gone.port, { method: 'POST', path: '/ask', headers });
    expect(refused.json.sessionId).not.toBe(first.json.sessionId);
    await gone.close();
    await sessions.close();
  });

  it('options: GET may make sessions, sources may be off, visitors may be refused, other origins allowed', async () => {
    const sessions = await createSessions();
    const lax = await open(sessions, {
      createOnGet: true,
      allowedOrigins: ['https://app.example'],
    });
    const made = await send(lax.port, { path: '/ask' });
    expect(made.status).toBe(200);
    const answer = await send(lax.port, {
      method: 'POST',
      path: '/ask',
      headers: [
        ['cookie', cookiesOf(made)],
        ['origin', 'https://app.example'],
      ],
    });
    expect(answer.json.sessionId).toBe(made.json.sessionId);
    await lax.close();

    const strict = await open(sessions, { sources: ['header'], anonymous: false, secrets: [] });
    expect((await send(strict.port, { path: '/state' })).status).toBe(401);
    const user = [['x-user', 'ada']] as const;
    const byHeader = await send(strict.port, { method: 'POST', path: '/ask', headers: user });
    expect(byHeader.cookies).toEqual([]);
    expect(byHeader.headers['x-session-id']).toBe(byHeader.json.sessionId);
    const ignored = await send(strict.port, {
      path: '/state?session_id=whatever&session_id=twice',
      headers: [...user, ['cookie', cookiesOf(made)]],
    });
    expect(ignored.json).toMatchObject({ sessionId: null, source: null });
    await strict.close();
    await sessions.close();
  });

  it('a user who is called like a visitor is refused, whoever says so', async () => {
    const sessions = await createSessions();
    const running = await open(sessions);
    const headers = [['x-user', 'anonymous:abc']] as const;
    expect((await send(running.port, { path: '/state', headers })).status).toBe(400);
    await running.close();
    await sessions.close();
  });
});
