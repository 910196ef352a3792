import { createServer, type RequestListener, type Server } from 'node:http';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createSessions, type Sessions } from '@lexigram/ai-session';
import { secret, send } from '@lexigram/ai-session-web-trials';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sessionMiddleware as fastifyMiddleware } from '../src/fastify.ts';
import { sessionMiddleware as honoMiddleware } from '../src/hono.ts';
import { sessionMiddleware } from '../src/node.ts';

let sessions: Sessions;
beforeEach(async () => {
  sessions = await createSessions();
});
afterEach(() => sessions.close());

async function listening(listener: RequestListener, use: (port: number) => Promise<void>) {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('a request that something else answered already', () => {
  it.each([
    ['is refused', null],
    ['is let in', { userId: 'ada' }],
  ])('and that %s does no harm', async (_, user) => {
    let authenticated = 0;
    const slow = (done: Promise<unknown>) =>
      sessionMiddleware(sessions, {
        secrets: [secret],
        anonymous: false,
        authenticate: async () => {
          await done;
          authenticated += 1;
          return user;
        },
      });
    let passed: Promise<unknown> = Promise.resolve();
    const listener: RequestListener = (request, response) => {
      const finished = new Promise((resolve) => response.on('finish', resolve));
      passed = new Promise((resolve) => {
        slow(finished)(request, response, resolve);
        void finished.then(() => setImmediate(() => setImmediate(resolve)));
      });
      response.writeHead(503).end('too late');
    };
    await listening(listener, async (port) => {
      expect((await send(port, { path: '/' })).status).toBe(503);
      await passed;
      expect(authenticated).toBe(1);
    });
  });
});

describe('HTTP/2', () => {
  it('has its session, and knows its own pages by the authority', async () => {
    const server = fastify({ http2: true });
    void server.register(fastifyMiddleware(sessions, { secrets: [secret] }));
    server.post('/ask', async (request) => {
      const { sessionId } = await request.aiSession.getOrCreate();
      return { sessionId, bound: sessions.context.sessionId };
    });
    const origin = await new Promise<string>((resolve, reject) => {
      const to = { port: 0, host: '127.0.0.1' };
      server.listen(to, (error, address) => (error ? reject(error) : resolve(address)));
    });
    const client = connectHttp2(origin);
    const ask = (headers: Record<string, string>) =>
      new Promise<{ head: IncomingHttpHeaders; text: string }>((resolve, reject) => {
        const stream = client.request({ ':path': '/ask', ':method': 'POST', ...headers });
        let head: IncomingHttpHeaders = {};
        let text = '';
        stream.on('response', (got) => {
          head = got;
        });
        stream.on('data', (chunk) => {
          text += chunk;
        });
        stream.on('error', reject);
        stream.on('end', () => resolve({ head, text }));
        stream.end();
      });
    try {
      const made = await ask({});
      expect(made.head['cache-control']).toBe('no-store');
      const cookie = made.head['set-cookie']?.[0]?.split(';', 1)[0] ?? '';
      const again = await ask({ cookie, origin });
      expect(again.text).toBe(made.text);
      const evil = await ask({ cookie, origin: 'http://evil.example' });
      expect(evil.head[':status' as never]).toBe(403);
    } finally {
      client.close();
      await server.close();
    }
  });
});

describe('a request that no server made', () => {
  it('says its host in its URL alone', async () => {
    const app = new Hono();
    // In place of Hono's own, which prints every error.
    app.onError((error) => new Response(String(error), { status: 500 }));
    app.use(honoMiddleware(sessions, { secrets: [secret] }));
    app.post('/ask', async (c) => c.json((await c.get('aiSession').getOrCreate()).sessionId));
    const ask = (origin: string) =>
      app.request('https://app.example/ask', { method: 'POST', headers: { origin } });
    expect((await ask('https://app.example')).status).toBe(200);
    expect((await ask('http://app.example')).status).toBe(403);
    expect((await ask('https://evil.example')).status).toBe(403);
  });
});
