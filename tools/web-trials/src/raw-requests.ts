import { connect } from 'node:net';
import { createSessions, type Sessions } from '@lexigram/ai-session';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Door, Running } from './door.ts';
import { type Answer, cookiesOf, send } from './send.ts';

/** Shapes of requests that no library sends, behind a door. */
export function tryRawRequests(open: Door): void {
  let sessions: Sessions;
  let running: Running;
  let foreign: string;

  beforeAll(async () => {
    sessions = await createSessions();
    ({ sessionId: foreign } = await sessions.manager.create({ userId: 'bob' }));
    running = await open(sessions);
  });
  afterAll(async () => {
    await running.close();
    await sessions.close();
  });

  const made = (): Promise<Answer> => send(running.port, { method: 'POST', path: '/ask' });
  const raw = (...lines: readonly string[]): Promise<string> => write(running.port, lines);

  it.each([
    ['two hosts', ['GET /state HTTP/1.1', 'Host: 127.0.0.1', 'Host: evil.example']],
    ['no host', ['GET /state HTTP/1.0']],
    ['an empty host', ['GET /state HTTP/1.1', 'Host:']],
    ['a host that is none', ['GET /state HTTP/1.1', 'Host: a b@c:d/e']],
    ['a whole URL', ['GET http://evil.example/state HTTP/1.1', 'Host: 127.0.0.1']],
    ['a URL without a path', ['GET http://evil.example HTTP/1.1', 'Host: 127.0.0.1']],
    ['an asterisk', ['OPTIONS * HTTP/1.1', 'Host: 127.0.0.1']],
    ['a broken escape', ['GET /state?session_id=%zz HTTP/1.1', 'Host: 127.0.0.1']],
  ])('%s: somebody else’s session is not there', async (_, lines) => {
    for (const more of [[], [`X-Session-ID: ${foreign}`, 'X-User: ada']]) {
      const [head = '', ...rest] = lines;
      const answer = await raw(head, ...rest, ...more, 'Connection: close', '', '');
      expect(answer).not.toMatch(/^HTTP\/1\.1 5/);
      expect(answer).not.toContain('"status":"active"');
      expect(answer.toLowerCase()).not.toContain('set-cookie');
    }
  });

  it('a page of another origin gains nothing by a second host', async () => {
    const cookie = cookiesOf(await made());
    const answer = await raw(
      'POST /ask HTTP/1.1',
      `Host: 127.0.0.1:${running.port}`,
      'Host: evil.example',
      'Origin: http://evil.example',
      `Cookie: ${cookie}`,
      'Content-Length: 0',
      'Connection: close',
      '',
      '',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 40[03] /);
  });

  it('requests that are sent before the answers came get a session each, in their order', async () => {
    const [one, two] = [await made(), await made()];
    const request = (answer: Answer | null): readonly string[] => [
      'POST /ask HTTP/1.1',
      'Host: x',
      ...(answer === null ? [] : [`Cookie: ${cookiesOf(answer)}`]),
      'Content-Length: 0',
      '',
    ];
    const last = ['GET /state HTTP/1.1', 'Host: x', 'Connection: close', '', ''];
    const text = await raw(...request(one), ...request(two), ...request(null), ...last);
    const ids = [...text.matchAll(/"sessionId":("[^"]*"|null)/g)].map(([, id]) =>
      JSON.parse(id ?? ''),
    );
    expect(ids.length).toBe(4);
    expect(ids.slice(0, 2)).toEqual([one.json.sessionId, two.json.sessionId]);
    expect(ids[2]).not.toBe(two.json.sessionId);
    expect(ids[3]).toBeNull();
  });

  it('cookies: many of them, long ones, and two headers', async () => {
    const first = await made();
    const own = cookiesOf(first);
    const many = Array.from({ length: 60 }, (_, n) => `c${n}=${'x'.repeat(n)}`).join('; ');
    const ask = (...values: string[]): Promise<Answer> =>
      send(running.port, {
        method: 'POST',
        path: '/ask',
        headers: values.map((value) => ['Cookie', value] as const),
      });
    expect((await ask(`${many}; ${own}`)).json.sessionId).toBe(first.json.sessionId);
    expect((await ask(`long=${'x'.repeat(5_000)}; ${own}`)).json.sessionId).toBe(
      first.json.sessionId,
    );
    expect((await ask(own, many)).json.sessionId).toBe(first.json.sessionId);
    expect((await ask(own, own)).json.sessionId).toBe(first.json.sessionId);
    expect((await ask(own, cookiesOf(await made()))).status).toBe(400);
    expect((await ask(`${own}; lexigram_session=${'y'.repeat(5_000)}`)).status).toBe(400);
    const fresh = await ask(`lexigram_session=${'y'.repeat(5_000)}`);
    expect([fresh.status, fresh.cookies.length]).toEqual([200, 1]);
  });
}

/** Writes lines to a connection, and answers all that comes until it ends. */
function write(port: number, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(lines.join('\r\n')));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}
