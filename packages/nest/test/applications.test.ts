import 'reflect-metadata';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { SessionManager, SessionNotFoundError } from '@lexigram/ai-session';
import type { AiSession } from '@lexigram/ai-session-web';
import { cookiesOf, secret, send } from '@lexigram/ai-session-web-trials';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  HttpCode,
  type INestApplication,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  Param,
  Post,
  Res,
  Scope,
  Sse,
  UnauthorizedException,
  Version,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, NestFactory, REQUEST } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { from, type Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { CurrentSession, SessionModule } from '../src/index.ts';

interface Asked {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly aiSession: AiSession;
  readonly url: string;
}

/** Fastify's has the one of Node inside. */
interface AnyResponse {
  readonly raw?: ServerResponse;
}

/** An application's own guard, which asks for the session before the handler does. */
class OwnGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Asked>();
    if (request.headers['x-guard'] === 'forbidden') throw new ForbiddenException('not today');
    if (request.headers['x-guard'] === 'unknown') throw new SessionNotFoundError('nobody-knows');
    if (request.headers['x-guard'] === 'ask') await request.aiSession.getOrCreate();
    return true;
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  readonly sessionId: string | null;

  constructor(@Inject(REQUEST) request: Asked) {
    this.sessionId = request.aiSession.sessionId;
  }
}

let release: (() => void) | null = null;
let arrived: () => void = () => undefined;

@Controller()
class AppController {
  readonly #perRequest: PerRequest;
  readonly #manager: SessionManager;

  constructor(
    @Inject(PerRequest) perRequest: PerRequest,
    @Inject(SessionManager) manager: SessionManager,
  ) {
    this.#perRequest = perRequest;
    this.#manager = manager;
  }

  @Get('health')
  health(@CurrentSession() { sessionId }: AiSession): object {
    return { health: true, sessionId };
  }

  @Post('ask')
  @HttpCode(200)
  async ask(@CurrentSession() aiSession: AiSession): Promise<object> {
    const { sessionId } = await aiSession.getOrCreate();
    return { sessionId, perRequest: this.#perRequest.sessionId };
  }

  @Post('versioned')
  @Version('2')
  @HttpCode(200)
  async askAgain(@CurrentSession() aiSession: AiSession): Promise<object> {
    return { version: 2, ...(await this.ask(aiSession)) };
  }

  @Post('slow')
  @HttpCode(200)
  async slow(@CurrentSession() aiSession: AiSession): Promise<object> {
    const { sessionId } = await aiSession.getOrCreate();
    arrived();
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return this.#manager.addTurn(sessionId, { role: 'user', content: 'in the end' });
  }

  @Get('half')
  async half(@Res() response: AnyResponse): Promise<void> {
    const raw = response.raw ?? (response as ServerResponse);
    raw.writeHead(200, { 'Content-Type': 'text/plain' });
    raw.write('half of an ');
    await this.#manager.getState('nobody-knows');
  }

  @Sse('events/:id')
  events(@CurrentSession() aiSession: AiSession, @Param('id') id: string): Observable<object> {
    return from(aiSession.getOrCreate().then(({ sessionId }) => ({ data: { id, sessionId } })));
  }
}

const platforms = {
  express: (): ExpressAdapter => new ExpressAdapter(),
  fastify: (): FastifyAdapter => new FastifyAdapter(),
};

let running: INestApplication | null = null;
afterEach(async () => {
  await running?.close();
  running = null;
});

async function start(
  platform: keyof typeof platforms,
  prepare: (app: INestApplication) => unknown = () => undefined,
  metadata: ModuleMetadata = {},
): Promise<number> {
  @Module({
    imports: [
      SessionModule.configure(
        {},
        {
          middleware: {
            secrets: [secret],
            createOnGet: true,
            authenticate: ({ headers }: Asked) => {
              if (headers['x-user'] === 'unknown') throw new UnauthorizedException('who are you?');
              return headers['x-user'] ? { userId: `${headers['x-user']}` } : null;
            },
          },
        },
      ),
    ],
    controllers: [AppController],
    providers: [PerRequest],
    ...metadata,
  })
  class AppModule {}
  running = await NestFactory.create(AppModule, platforms[platform](), { logger: false });
  await prepare(running);
  await running.listen(0, '127.0.0.1');
  return ((running.getHttpServer() as Server).address() as AddressInfo).port;
}

describe.each(['express', 'fastify'] as const)('an application on %s', (platform) => {
  it('with a prefix: routes with it and those without have their session', async () => {
    const port = await start(platform, (app) =>
      app.setGlobalPrefix('api', { exclude: ['health'] }),
    );
    const made = await send(port, { method: 'POST', path: '/api/ask' });
    expect(made.status).toBe(200);
    const headers = [['cookie', cookiesOf(made)]] as const;
    const health = await send(port, { path: '/health', headers });
    expect(health.json).toEqual({ health: true, sessionId: made.json.sessionId });
    expect((await send(port, { path: '/api/health' })).status).toBe(404);
  });

  it('does not start where two instances would give requests their session', async () => {
    const middleware = { secrets: [secret] };
    const imports = [
      SessionModule.configure({}, { middleware }),
      SessionModule.configure({}, { middleware, name: 'second' }),
    ];
    class TwiceModule {}
    Module({ imports })(TwiceModule);
    const options = { logger: false, abortOnError: false } as const;
    const app = await NestFactory.create(TwiceModule, platforms[platform](), options);
    await expect(app.listen(0, '127.0.0.1')).rejects.toThrow('another instance');
    await app.close();
  });

  it('with versions of its routes', async () => {
    const port = await start(platform, (app) => app.enableVersioning({ type: VersioningType.URI }));
    const made = await send(port, { method: 'POST', path: '/v2/versioned' });
    expect(made.json).toMatchObject({ version: 2, sessionId: expect.any(String) });
  });

  it('its own guard has the session, and what it throws is answered', async () => {
    const guard = { provide: APP_GUARD, useClass: OwnGuard };
    const port = await start(platform, undefined, { providers: [PerRequest, guard] });
    const by = (value: string): readonly (readonly [string, string])[] => [['x-guard', value]];
    const asked = await send(port, { method: 'POST', path: '/ask', headers: by('ask') });
    expect(asked.status).toBe(200);
    expect(cookiesOf(asked)).toContain(`${asked.json.sessionId}`);
    const forbidden = await send(port, { method: 'POST', path: '/ask', headers: by('forbidden') });
    expect([forbidden.status, forbidden.json.message]).toEqual([403, 'not today']);
    const unknown = await send(port, { method: 'POST', path: '/ask', headers: by('unknown') });
    expect([unknown.status, unknown.json.error]).toEqual([
      404,
      { code: 'LEX_ERR_SES_007', message: expect.any(String) },
    ]);
  });

  it('an exception of `authenticate` is answered as those of handlers are', async () => {
    const port = await start(platform);
    const answer = await send(port, { path: '/health', headers: [['x-user', 'unknown']] });
    expect([answer.status, answer.json.message]).toEqual([401, 'who are you?']);
  });

  it('providers of a request see its session', async () => {
    const port = await start(platform);
    const made = await send(port, { method: 'POST', path: '/ask' });
    expect(made.json.perRequest).toBeNull();
    const headers = [['cookie', cookiesOf(made)]] as const;
    const again = await send(port, { method: 'POST', path: '/ask', headers });
    expect(again.json.perRequest).toBe(made.json.sessionId);
  });

  it('events for a browser go out with the session’s cookie', async () => {
    const port = await start(platform);
    const answer = await send(port, { path: '/events/7' });
    expect(answer.text).toContain('"id":"7"');
    expect(answer.status).toBe(200);
  });

  it('an error after the answer began ends the answer, and the application goes on', async () => {
    const port = await start(platform);
    const half = await send(port, { path: '/half' }).then(
      ({ text }) => text,
      (error: Error) => error.message,
    );
    // Cut off, so that nobody takes it for a whole one.
    expect(['aborted', 'socket hang up']).toContain(half);
    expect((await send(port, { path: '/health' })).status).toBe(200);
  });

  it('a request that runs when the application is closed is finished, its turn recorded', async () => {
    const port = await start(platform);
    const there = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const slow = send(port, { method: 'POST', path: '/slow', headers: [['connection', 'close']] });
    await there;
    const closing = running?.close();
    running = null;
    release?.();
    const answer = await slow;
    expect([answer.status, answer.json.seq]).toEqual([200, 1]);
    await closing;
    await new Promise<void>((resolve) => {
      connect(port, '127.0.0.1').on('error', () => resolve());
    });
  });
});
