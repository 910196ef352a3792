import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import {
  answerTo,
  app,
  type Door,
  odd,
  preset,
  type Running,
  userOf,
} from '@lexigram/ai-session-web-trials';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { sessionMiddleware as expressMiddleware, sessionErrors } from '../../src/express.ts';
import { sessionMiddleware as fastifyMiddleware } from '../../src/fastify.ts';
import { sessionMiddleware as honoMiddleware } from '../../src/hono.ts';
import { type AiSession, SessionMiddleware } from '../../src/index.ts';
import { sessionMiddleware as nodeMiddleware } from '../../src/node.ts';

function listening(server: Server): Promise<Running> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const close = (): Promise<void> =>
        new Promise((done) => {
          server.close(() => done());
          server.closeAllConnections();
        });
      resolve({ port, close });
    });
  });
}

const readBody = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

/** What a handler sets itself. */
const dress = { 'Set-Cookie': 'other=1', 'Cache-Control': 'public, max-age=60' } as const;

export const doors: Readonly<Record<string, Door>> = {
  node: (sessions, options) => {
    const middleware = nodeMiddleware(sessions, {
      ...preset,
      ...options,
      authenticate: (request) => userOf(request.headers['x-user'] as string | undefined),
    });
    const server = createServer((request, response) => {
      const fail = (error: unknown): void =>
        sessionErrors(error, request, response, () => {
          response.writeHead(500).end(String(error));
        });
      middleware(request, response, (error) => {
        if (error !== undefined) return fail(error);
        const { aiSession } = request as unknown as { aiSession: AiSession };
        const path = (request.url ?? '').split('?', 1)[0] ?? '';
        if (path === '/dressed' || path === '/raw') {
          aiSession.getOrCreate().then(() => {
            const headers = path === '/raw' ? Object.entries(dress).flat() : { ...dress };
            if (path === '/dressed') response.writeHead(200, 'Well', headers).end('{}');
            else response.writeHead(200, headers).end('{}');
          }, fail);
          return;
        }
        answerTo(path, aiSession, sessions, () => readBody(request)).then((answer) => {
          response.writeHead(answer === null ? 404 : 200, { 'Content-Type': 'application/json' });
          response.end(request.method === 'HEAD' ? undefined : JSON.stringify(answer));
        }, fail);
      });
    });
    return listening(server);
  },

  express: (sessions, options) => {
    const server = express();
    server.use(
      expressMiddleware(sessions, {
        ...preset,
        ...options,
        authenticate: (request) => userOf(request.headers['x-user'] as string | undefined),
      }),
    );
    server.use(express.json());
    server.all('/state', (request, response) => {
      response.json(app.state(request.aiSession, sessions));
    });
    server.all('/ask', async (request, response) => {
      response.json(await app.ask(request.aiSession, sessions));
    });
    for (const [path, run] of Object.entries(odd)) {
      server.all(path, async (request, response) => {
        response.json(await run(request.aiSession, sessions));
      });
    }
    server.post('/dressed', async (request, response) => {
      await request.aiSession.getOrCreate();
      response.cookie('other', '1').set('Cache-Control', dress['Cache-Control']).json({});
    });
    server.post('/raw', async (request, response) => {
      await request.aiSession.getOrCreate();
      response.set('Cache-Control', 'private').writeHead(200, dress);
      response.end('{}');
    });
    server.post('/turn', async (request, response) => {
      response.json(await app.turn(request.aiSession, request.body.content));
    });
    server.use(sessionErrors);
    return listening(createServer(server));
  },

  fastify: async (sessions, options) => {
    const server = fastify({ forceCloseConnections: true });
    await server.register(
      fastifyMiddleware(sessions, {
        ...preset,
        ...options,
        authenticate: (request) => userOf(request.headers['x-user'] as string | undefined),
      }),
    );
    server.all('/state', (request) => app.state(request.aiSession, sessions));
    server.all('/ask', (request) => app.ask(request.aiSession, sessions));
    for (const [path, run] of Object.entries(odd)) {
      server.all(path, async (request) => run(request.aiSession, sessions));
    }
    server.post('/dressed', async (request, reply) => {
      await request.aiSession.getOrCreate();
      return reply.headers(dress).send({});
    });
    server.post('/raw', async (request, reply) => {
      reply.hijack();
      await request.aiSession.getOrCreate();
      reply.raw.writeHead(200, dress).end('{}');
    });
    server.post('/turn', (request) =>
      app.turn(request.aiSession, (request.body as { content: string }).content),
    );
    await server.ready();
    return new Promise((resolve, reject) => {
      server.listen({ port: 0, host: '127.0.0.1' }, (error) => {
        if (error) return reject(error);
        const { port } = server.server.address() as AddressInfo;
        resolve({ port, close: async () => server.close() });
      });
    });
  },

  hono: (sessions, options) => {
    const server = new Hono();
    // In place of Hono's own, which prints every error.
    server.onError((error) => new Response(String(error), { status: 500 }));
    server.use(
      honoMiddleware(sessions, {
        ...preset,
        ...options,
        authenticate: (c) => userOf(c.req.header('x-user')),
      }),
    );
    server.all('/state', (c) => c.json(app.state(c.get('aiSession'), sessions)));
    server.all('/ask', async (c) => c.json(await app.ask(c.get('aiSession'), sessions)));
    for (const [path, run] of Object.entries(odd)) {
      server.all(path, async (c) => c.json(await run(c.get('aiSession'), sessions)));
    }
    server.post('/dressed', async (c) => {
      await c.get('aiSession').getOrCreate();
      return c.json({}, 200, dress);
    });
    server.post('/raw', async (c) => {
      await c.get('aiSession').getOrCreate();
      return new Response('{}', { headers: dress });
    });
    server.post('/turn', async (c) =>
      c.json(await app.turn(c.get('aiSession'), (await c.req.json()).content)),
    );
    return served((request) => server.fetch(request));
  },

  fetch: (sessions, options) => {
    const middleware = new SessionMiddleware<Request>(sessions, {
      ...preset,
      ...options,
      authenticate: (request) => userOf(request.headers.get('x-user')),
    });
    const handler = middleware.fetch(async (request, aiSession) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/dressed' || pathname === '/raw') {
        await aiSession.getOrCreate();
        return new Response('{}', { headers: dress });
      }
      const answer = await answerTo(pathname, aiSession, sessions, () => request.text());
      return Response.json(answer, { status: answer === null ? 404 : 200 });
    });
    return served(handler);
  },
};

function served(fetch: (request: Request) => Response | Promise<Response>): Promise<Running> {
  return new Promise((resolve) => {
    const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
      const close = (): Promise<void> =>
        new Promise((done) => {
          server.close(() => done());
          (server as Server).closeAllConnections();
        });
      resolve({ port, close });
    });
  });
}
