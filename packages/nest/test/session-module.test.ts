import 'reflect-metadata';
import {
  InMemorySessionStore,
  SessionManager,
  SessionNotFoundError,
  SessionStoreUnavailableError,
  type Sessions,
} from '@lexigram/ai-session';
import { Inject, Injectable, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Test, type TestingModule } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import {
  getSessionToken,
  SESSION_CONFIG,
  SESSION_STORE,
  SESSIONS,
  SessionErrorFilter,
  SessionHealthIndicator,
  SessionModule,
  SessionProvider,
} from '../src/index.ts';

@Injectable()
class Greeter {
  readonly #manager: SessionManager;

  constructor(@Inject(SessionManager) manager: SessionManager) {
    this.#manager = manager;
  }

  async greet(userId: string): Promise<string> {
    const { sessionId } = await this.#manager.create({ userId });
    await this.#manager.addTurn(sessionId, { role: 'user', content: 'hello' });
    return sessionId;
  }
}

@Module({ providers: [Greeter], exports: [Greeter] })
class GreeterModule {}

function testing(...imports: Parameters<typeof Test.createTestingModule>[0]['imports'] & object[]) {
  return Test.createTestingModule({ imports }).compile();
}

async function closed(module: TestingModule): Promise<void> {
  await module.close();
}

describe('SessionModule', () => {
  it('stub: the manager by injection makes an active session, and nothing stays open', async () => {
    const module = await testing(SessionModule.stub());
    await module.init();
    const manager = module.get(SessionManager);
    const state = await manager.create({ userId: 'ada' });
    expect(state.status).toBe('active');
    await closed(module);
    await expect(manager.create({ userId: 'ada' })).rejects.toThrow(SessionStoreUnavailableError);
  });

  it('other modules get the services without importing it', async () => {
    const module = await testing(SessionModule.configure({ sessionTtl: 60 }), GreeterModule);
    await module.init();
    const sessionId = await module.get(Greeter).greet('ada');
    expect((await module.get(SessionManager).getState(sessionId)).turnCount).toBe(1);
    expect(module.get(SESSION_CONFIG).sessionTtl).toBe(60);
    expect(module.get<Sessions>(SESSIONS).manager).toBe(module.get(SessionManager));
    await closed(module);
  });

  it('a store of one’s own stays open: it is the caller’s to close', async () => {
    const store = new InMemorySessionStore();
    const module = await testing(SessionModule.configure({}, { parts: { store } }));
    await module.init();
    expect(module.get(SESSION_STORE)).toBe(store);
    await closed(module);
    expect(await store.session('nobody')).toBeNull();
  });

  it('forRootAsync: options come from what a factory is given', async () => {
    @Module({ providers: [{ provide: 'TTL', useValue: 99 }], exports: ['TTL'] })
    class SettingsModule {}
    const module = await testing(
      SessionModule.forRootAsync({
        imports: [SettingsModule],
        inject: ['TTL'],
        useFactory: async (sessionTtl: number) => ({ config: { sessionTtl } }),
      }),
    );
    await module.init();
    expect(module.get(SESSION_CONFIG).sessionTtl).toBe(99);
    await closed(module);
  });

  it('instances with names do not know each other', async () => {
    const module = await testing(
      SessionModule.configure({ sessionTtl: 1 }, { name: 'support' }),
      SessionModule.configure({ sessionTtl: 2 }, { name: 'sales' }),
      SessionModule.configure({ sessionTtl: 3 }),
    );
    await module.init();
    const support: SessionManager = module.get(getSessionToken(SessionManager, 'support'));
    const sales: SessionManager = module.get(getSessionToken(SessionManager, 'sales'));
    const { sessionId } = await support.create({ userId: 'ada' });
    await expect(sales.getState(sessionId)).rejects.toThrow('Session not found');
    await expect(module.get(SessionManager).getState(sessionId)).rejects.toThrow('not found');
    expect(module.get(getSessionToken(SESSION_CONFIG, 'sales')).sessionTtl).toBe(2);
    await closed(module);
  });

  it('enabled: false registers nothing; asked for late, the services are null', async () => {
    const off = await testing(SessionModule.configure({ enabled: false }));
    await off.init();
    expect(() => off.get(SessionManager)).toThrow();
    await closed(off);
    const late = await testing(
      SessionModule.forRootAsync({ useFactory: () => ({ config: { enabled: false } }) }),
    );
    await late.init();
    expect(late.get(SessionManager)).toBeNull();
    expect(await late.get(SessionProvider).health()).toEqual({
      status: 'up',
      message: 'switched off',
    });
    await closed(late);
  });

  it('a configuration that cannot be used is told at once', () => {
    expect(() => SessionModule.configure({ sessionTtl: -1 })).toThrow('sessionTtl');
  });

  it('keys that are too short keep the application from starting', async () => {
    const module = testing(SessionModule.configure({}, { middleware: { secrets: ['short'] } }));
    await expect(module).rejects.toThrow('secrets[0]');
  });

  it('the sweep runs until the application ends, unless it is switched off', async () => {
    /** A store that tells when a sweep asks it. */
    const asked = (): {
      store: InMemorySessionStore;
      times: () => number;
      next: () => Promise<void>;
    } => {
      const store = new InMemorySessionStore();
      let times = 0;
      let tell: () => void = () => undefined;
      const due = store.due.bind(store);
      store.due = (page) => {
        times += 1;
        tell();
        return due(page);
      };
      const next = (): Promise<void> =>
        new Promise((resolve) => {
          tell = resolve;
        });
      return { store, times: () => times, next };
    };
    const [swept, still] = [asked(), asked()];
    const config = { cleanupIntervalS: 0.01 };
    const on = await testing(SessionModule.configure(config, { parts: { store: swept.store } }));
    const parts = { store: still.store };
    const off = await testing(
      SessionModule.configure(config, { parts, enableCleanupScheduler: false }),
    );
    for (let i = 0; i < 3; i++) await swept.next();
    await on.init();
    await closed(on);
    const until = swept.times();
    await off.init();
    expect(still.times()).toBe(0);
    expect(swept.times()).toBe(until);
    await closed(off);
  });
});

describe('events', () => {
  @Injectable()
  class Ears {
    readonly heard: string[] = [];

    @OnEvent('session.*')
    hear(event: { readonly type: string }): void {
      this.heard.push(event.type);
    }
  }

  it('are emitted where the application has an emitter, and nothing is missing where it has none', async () => {
    const module = await Test.createTestingModule({
      imports: [EventEmitterModule.forRoot({ wildcard: true }), SessionModule.stub()],
      providers: [Ears],
    }).compile();
    await module.init();
    const manager = module.get(SessionManager);
    const closing = new Promise((resolve) =>
      module.get<Sessions>(SESSIONS).events.on('closed', resolve),
    );
    const { sessionId } = await manager.create({ userId: 'ada' });
    await manager.addTurn(sessionId, { role: 'user', content: 'hello' });
    await manager.close(sessionId);
    await closing;
    expect(module.get(Ears).heard).toEqual(['created', 'turn', 'closed']);
    await closed(module);
  });
});

describe('the health indicator', () => {
  it('asks the store, and Terminus understands what it says', async () => {
    const store = new InMemorySessionStore();
    const module = await testing(
      SessionModule.configure({}, { parts: { store } }),
      TerminusModule.forRoot({ logger: false }),
    );
    await module.init();
    const indicator = module.get(SessionHealthIndicator);
    const health = module.get(HealthCheckService);
    const up = await health.check([() => indicator.isHealthy('sessions')]);
    expect(up).toMatchObject({ status: 'ok', details: { sessions: { status: 'up' } } });
    await store.close();
    await expect(health.check([() => indicator.isHealthy('sessions')])).rejects.toMatchObject({
      response: { status: 'error', error: { sessions: { status: 'down' } } },
    });
    await closed(module);
  });

  it('a store that does not answer in time is down', async () => {
    const store = new InMemorySessionStore();
    const module = await testing(SessionModule.configure({}, { parts: { store } }));
    store.list = () => new Promise(() => undefined);
    const said = await module.get(SessionHealthIndicator).isHealthy('sessions', { timeoutMs: 20 });
    expect(said.sessions).toEqual({ status: 'down', message: 'no answer within 20 ms' });
    await closed(module);
  });
});

describe('the filter', () => {
  it('leaves to Nest what was not asked by HTTP', () => {
    const filter = new SessionErrorFilter(new HttpAdapterHost());
    for (const type of ['rpc', 'graphql']) {
      const host = new ExecutionContextHost([{}, {}]);
      host.setType(type);
      expect(filter.catch(new SessionNotFoundError('x'), host)).toBeUndefined();
    }
  });
});
