import { connect } from 'node:net';
import { createSessions, type Sessions } from '@lexigram/ai-session';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Door, Running } from './door.ts';
import { full } from './scale.ts';
import { cookiesOf, send } from './send.ts';

/** Every header that an answer of the application may have. */
const expected = new Set([
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'etag',
  'keep-alive',
  'retry-after',
  'set-cookie',
  'transfer-encoding',
  'x-content-type-options',
  'x-powered-by',
  'x-session-id',
]);

/** What clients send on purpose or by mistake, behind a door. */
export function tryHostile(open: Door): void {
  let sessions: Sessions;
  let running: Running;
  let foreign: string;

  beforeAll(async () => {
    sessions = await createSessions({ maxSessionsPerUser: 1_000_000 });
    ({ sessionId: foreign } = await sessions.manager.create({ userId: 'bob' }));
    running = await open(sessions);
  });
  afterAll(async () => {
    await running.close();
    await sessions.close();
  });

  it('whatever headers, cookies and parameters say: no failure inside, no header added', async () => {
    // All together less than the 16 KiB after which Node itself ends the connection.
    const value = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 60 }),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom('', 'a'.repeat(3_500), '__proto__', '../../etc/passwd', 'x.y.z', '{a}', '*'),
    );
    // What a client can put on the wire at all: a header is one line of latin1.
    const line = value.map((text) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '').trim());
    const one = fc.record({
      id: line,
      cookie: fc.oneof(
        line,
        line.map((text) => `lexigram_session=${text}`),
      ),
      query: value.map((text) => encodeURIComponent(text.toWellFormed())),
      origin: line,
      method: fc.constantFrom('GET', 'POST', 'HEAD', 'DELETE'),
      which: fc.integer({ min: 1, max: 15 }),
    });
    await fc.assert(
      fc.asyncProperty(one, async ({ cookie, id, method, origin, query, which }) => {
        const headers: [string, string][] = [];
        if (which & 1) headers.push(['X-Session-ID', id]);
        if (which & 2) headers.push(['Cookie', cookie]);
        if (which & 4) headers.push(['Origin', origin]);
        const search = which & 8 ? `?session_id=${query}` : '';
        const answer = await send(running.port, { method, path: `/ask${search}`, headers });
        expect(answer.status).toBeLessThan(500);
        for (const name of Object.keys(answer.headers)) expect(expected).toContain(name);
        expect(answer.cookies.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: full ? 5_000 : 300, seed: 9 },
    );
  });

  it.each([
    '/state',
    '/%73tate',
    '//state',
    '/state/',
    '/state;a=b',
    '/./state',
    '/STATE',
    '/no/such/path',
    '/state#x',
  ])('a session of somebody else is not there, by whichever path: %s', async (path) => {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const headers = [
        ['x-user', 'ada'],
        ['x-session-id', foreign],
        ['x-http-method-override', 'GET'],
      ] as const;
      expect((await send(running.port, { method, path, headers })).status).toBe(404);
    }
  });

  it('an id as long as a header can be is no id', async () => {
    const headers = [['X-Session-ID', 'a'.repeat(15_000)]] as const;
    const answer = await send(running.port, { method: 'POST', path: '/ask', headers });
    expect([answer.status, answer.text.length < 500]).toEqual([400, true]);
  });

  it('the whole URL as the target hides no parameter', async () => {
    const target = `http://127.0.0.1:${running.port}/state?session_id=${foreign}`;
    const answer = await send(running.port, { path: target, headers: [['x-user', 'ada']] });
    expect(answer.status).toBe(404);
  });

  it.each(['session_id[]=a', 'session_id[a]=b', 'session_id=', 'session_id=%0d%0aSet-Cookie:x=1'])(
    'a parameter that is no id is refused: %s',
    async (search) => {
      const answer = await send(running.port, { path: `/state?${search}` });
      expect(answer.status).toBe(400);
      expect(answer.cookies).toEqual([]);
    },
  );

  it('answers of many sessions at once never mix, though clients hang up', async () => {
    const clients = await Promise.all(
      Array.from({ length: 64 }, async (_, n) => {
        const body = JSON.stringify({ content: `canary-${n}-` });
        const first = await send(running.port, { method: 'POST', path: '/turn', body });
        return { n, cookie: cookiesOf(first) };
      }),
    );
    const rounds = full ? Math.ceil(20_000 / 64) : 12;
    for (let round = 0; round < rounds; round++) {
      await Promise.all(
        clients.map(async ({ cookie, n }) => {
          if ((n + round) % 5 === 0) return hangUp(running.port, cookie);
          const write = round % 10 === 0;
          const answer = await send(running.port, {
            method: write ? 'POST' : 'GET',
            path: write ? '/turn' : '/state',
            headers: [['cookie', cookie]],
            ...(write ? { body: JSON.stringify({ content: `canary-${n}-` }) } : {}),
          });
          expect(answer.status).toBe(200);
          const found = [...answer.text.matchAll(/canary-(\d+)-/g)].map((match) =>
            Number(match[1]),
          );
          expect(new Set(found)).toEqual(new Set(write ? [n] : []));
          expect(cookie).toContain(`${answer.json.sessionId}`);
          expect(answer.json.bound ?? answer.json.sessionId).toBe(answer.json.sessionId);
        }),
      );
    }
  });
}

/** Sends a request and is gone before the answer. */
function hangUp(port: number, cookie: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `POST /ask HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nContent-Length: 0\r\n\r\n`,
      );
      setImmediate(() => socket.resetAndDestroy());
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}
