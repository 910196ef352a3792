import 'reflect-metadata';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sessions } from '@lexigram/ai-session';
import type { AiSession } from '@lexigram/ai-session-web';
import {
  app,
  type DoorOptions,
  odd,
  preset,
  type Running,
  userOf,
} from '@lexigram/ai-session-web-trials';
import {
  All,
  Body,
  Controller,
  Header,
  HttpCode,
  type INestApplication,
  Inject,
  Module,
  Post,
  Req,
  Res,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CurrentSession, SESSIONS, SessionModule } from '../../src/index.ts';

/** Fastify's has the one of Node inside. */
interface AnyResponse {
  readonly raw?: ServerResponse;
}

@Controller()
class TrialController {
  readonly #sessions: Sessions;

  constructor(@Inject(SESSIONS) sessions: Sessions) {
    this.#sessions = sessions;
  }

  @All('state')
  @HttpCode(200)
  state(@CurrentSession() aiSession: AiSession): object {
    return app.state(aiSession, this.#sessions);
  }

  @All('ask')
  @HttpCode(200)
  ask(@CurrentSession() aiSession: AiSession): Promise<object> {
    return app.ask(aiSession, this.#sessions);
  }

  @All(Object.keys(odd))
  @HttpCode(200)
  async odd(@CurrentSession() aiSession: AiSession, @Req() request: AnyRequest): Promise<object> {
    return odd[request.url]?.(aiSession, this.#sessions) ?? {};
  }

  @Post('dressed')
  @HttpCode(200)
  @Header('Cache-Control', 'public, max-age=60')
  @Header('Set-Cookie', 'other=1')
  async dressed(@CurrentSession() aiSession: AiSession): Promise<object> {
    await aiSession.getOrCreate();
    return {};
  }

  @Post('raw')
  async raw(@CurrentSession() aiSession: AiSession, @Res() response: AnyResponse): Promise<void> {
    await aiSession.getOrCreate();
    const headers = { 'Set-Cookie': 'other=1', 'Cache-Control': 'public, max-age=60' };
    (response.raw ?? (response as ServerResponse)).writeHead(200, headers).end('{}');
  }

  @Post('turn')
  @HttpCode(200)
  turn(@CurrentSession() aiSession: AiSession, @Body() body: { content: string }): Promise<object> {
    return app.turn(aiSession, body.content);
  }
}

interface AnyRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** The application of the trials in Nest, on one of its platforms. */
export async function startNest(
  platform: 'express' | 'fastify',
  sessions: Sessions,
  options?: DoorOptions,
): Promise<Running> {
  @Module({
    imports: [
      SessionModule.configure(sessions.config, {
        parts: { store: sessions.store },
        enableCleanupScheduler: false,
        middleware: {
          ...preset,
          ...options,
          authenticate: (request: AnyRequest) => userOf(request.headers['x-user'] as string),
        },
      }),
    ],
    controllers: [TrialController],
  })
  class TrialModule {}

  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const nest: INestApplication = await NestFactory.create(TrialModule, adapter, { logger: false });
  await nest.listen(0, '127.0.0.1');
  const server = nest.getHttpServer() as Server;
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await nest.close();
    },
  };
}
