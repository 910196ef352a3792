import 'reflect-metadata';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sessions } from '@lexigram/ai-session';
import type { AiSession } from '@lexigram/ai-session-web';
import {
  app,
  type DoorOptions,
  preset,
  type Running,
  userOf,
} from '@lexigram/ai-session-web-trials';
import {
  All,
  Body,
  Controller,
  HttpCode,
  type INestApplication,
  Inject,
  Module,
  Post,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CurrentSession, SESSIONS, SessionModule } from '../../src/index.ts';

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

  @Post('turn')
  @HttpCode(200)
  turn(@CurrentSession() aiSession: AiSession, @Body() body: { content: string }): Promise<object> {
    return app.turn(aiSession, body.content);
  }
}

interface AnyRequest {
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
