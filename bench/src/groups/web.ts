import { createHmac } from 'node:crypto';
import { Agent, createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { createSessions, type Sessions } from '@lexigram/ai-session';
import { sessionMiddleware as forExpress } from '@lexigram/ai-session-web/express';
import { sessionMiddleware as forFastify } from '@lexigram/ai-session-web/fastify';
import { sessionMiddleware as forHono } from '@lexigram/ai-session-web/hono';
import { sessionMiddleware as forNode } from '@lexigram/ai-session-web/node';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';
import { type Contestant, interleave, median, microseconds, ratioOf } from '../rounds.ts';

const secrets = ['a key for benchmarks, of thirty-two bytes or more'];

/** A handler that answers `ok`, with the middleware before it or without; the port that it listens on. */
type Start = (sessions: Sessions | null) => Promise<{ port: number; close: () => unknown }>;

const frameworks: Readonly<Record<string, Start>> = {
  'node:http': (sessions) => {
    const middleware = sessions === null ? null : forNode(sessions, { secrets });
    return listening(
      createServer((request, response) => {
        if (middleware === null) response.end('ok');
        else middleware(request, response, () => response.end('ok'));
      }),
    );
  },
  Express: (sessions) => {
    const app = express();
    if (sessions !== null) app.use(forExpress(sessions, { secrets }));
    app.get('/', (_request, response) => void response.send('ok'));
    return listening(createServer(app));
  },
  Fastify: async (sessions) => {
    const app = fastify({ forceCloseConnections: true });
    if (sessions !== null) app.register(forFastify(sessions, { secrets }));
    app.get('/', () => 'ok');
    await app.ready();
    return new Promise((resolve) => {
      app.listen({ port: 0, host: '127.0.0.1' }, () => {
        const { port } = app.server.address() as AddressInfo;
        resolve({ port, close: () => app.close() });
      });
    });
  },
  Hono: (sessions) => {
    const app = new Hono();
    if (sessions !== null) app.use(forHono(sessions, { secrets }));
    app.get('/', (c) => c.text('ok'));
    return new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
        resolve({ port, close: () => (server as Server).close() });
      });
    });
  },
};

function listening(server: Server): Promise<{ port: number; close: () => unknown }> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      resolve({ port, close: () => server.close() });
    });
  });
}

/** What the middleware adds to a request, over HTTP on one connection. */
export const web: Group = {
  name: 'web',
  about:
    'a request whose session is read ÷ one without the middleware, one connection, per framework',
  durability: 'memory: the store costs nothing, the middleware is what is measured',
  async measure(options) {
    const figures: Figure[] = [];
    for (const [name, start] of Object.entries(frameworks)) {
      figures.push(await measure(name, start, options));
    }
    return figures;
  },
};

async function measure(name: string, start: Start, { quick }: MeasureOptions): Promise<Figure> {
  await using sessions = await createSessions();
  const { sessionId } = await sessions.manager.create({ userId: 'anonymous:bench' });
  const [bare, own] = [await start(null), await start(sessions)];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const requests = quick ? 50 : 200;
  const ask = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', agent, headers: { cookie } }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`${name}: ${response.statusCode}`));
        response.resume().on('end', resolve);
      }).on('error', reject);
    });
  const payload = `lexigram_session=${sessionId}.bench`;
  const mac = createHmac('sha256', secrets[0] as string)
    .update(payload)
    .digest('base64url');
  const cookie = `${payload}.${mac}`;
  const slice = (port: number): Contestant => ({
    slice: () =>
      microseconds(async () => {
        for (let i = 0; i < requests; i++) await ask(port);
      }),
  });
  const slices = quick ? 2 : 5;
  const costs = await interleave(
    { rounds: quick ? 3 : 9, slices },
    { own: slice(own.port), bare: slice(bare.port) },
  );
  agent.destroy();
  await Promise.all([bare.close(), own.close()]);
  const each = (round: readonly number[]): string => short(median(round) / requests / slices);
  const { high, low, value } = ratioOf(costs.own, costs.bare);
  return {
    name: `with ÷ without, ${name}`,
    value,
    unit: '×',
    detail: `${each(costs.own)} ÷ ${each(costs.bare)} µs a request, client included; ${costs.own.length} rounds of ${requests * slices} requests, ${short(low)}–${short(high)}`,
  };
}
