import { createSessions } from '@lexigram/ai-session';
import { cookiesOf, type Door, secret, send } from '@lexigram/ai-session-web-trials';
import { describe, expect, it } from 'vitest';
import { doors } from './kit/doors.ts';

describe('behind fetch', () => {
  const open = doors['fetch'] as Door;

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

describe.each(Object.entries(doors))('behind %s', (_, open) => {
  it('what a proxy says counts only where it is trusted', async () => {
    const sessions = await createSessions();
    const running = await open(sessions, { trustProxy: false });
    const headers = [
      ['x-forwarded-proto', 'https'],
      ['x-forwarded-host', 'evil.example'],
      ['x-forwarded-user', 'ada'],
    ] as const;
    const made = await send(running.port, { method: 'POST', path: '/ask', headers });
    expect(made.cookies[0]).toMatch(/^lexigram_session=/);
    expect(made.cookies[0]).not.toContain('Secure');
    const evil = [...headers, ['cookie', cookiesOf(made)], ['origin', 'http://evil.example']];
    const refused = await send(running.port, {
      method: 'POST',
      path: '/ask',
      headers: evil as [string, string][],
    });
    expect(refused.status).toBe(403);
    const state = await send(running.port, { path: '/state', headers });
    expect(state.json.anonymous).toBe(true);
    await running.close();
    await sessions.close();
  });

  it('a cookie may be called by any name that a cookie can have', async () => {
    const sessions = await createSessions();
    const cookieName = "a!#$%&'*+.^_`|~-9";
    const running = await open(sessions, { cookieName, cookieMaxAge: 60 });
    for (const headers of [[], [['x-forwarded-proto', 'https'] as const]]) {
      const made = await send(running.port, { method: 'POST', path: '/ask', headers });
      expect(made.cookies.length).toBe(1);
      expect(made.cookies[0]).toContain(`${cookieName}=${made.json.sessionId}`);
      expect(made.cookies[0]).toContain('; Max-Age=60');
      const own = [...headers, ['cookie', cookiesOf(made)] as const];
      const again = await send(running.port, { method: 'POST', path: '/ask', headers: own });
      expect(again.json.sessionId).toBe(made.json.sessionId);
    }
    await running.close();
    await sessions.close();
  });

  it('keys may change while a visitor goes on', async () => {
    const sessions = await createSessions();
    const next = 'the next key, of thirty-two bytes or more as well';
    const old = await open(sessions, { secrets: [secret] });
    const first = await send(old.port, { method: 'POST', path: '/ask' });
    await old.close();
    const rotated = await open(sessions, { secrets: [next, secret] });
    const headers = [['cookie', cookiesOf(first)]] as const;
    const answer = await send(rotated.port, { method: 'POST', path: '/ask', headers });
    expect([answer.json.sessionId, answer.cookies]).toEqual([first.json.sessionId, []]);
    await rotated.close();
    await sessions.close();
  });
});
