import { sessionEventTypes } from '@lexigram/ai-session';
import type { OnModuleInit } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import type { SessionProvider } from './session-provider.ts';

interface Emitter {
  emit(event: string, value: unknown): unknown;
}

/** Hands the events of an instance to `@nestjs/event-emitter`, if the application has it: `@OnEvent('session.turn')`. */
export class SessionEventBridge implements OnModuleInit {
  readonly #provider: SessionProvider;
  readonly #modules: ModuleRef;
  readonly #prefix: string;

  constructor(provider: SessionProvider, modules: ModuleRef, name: string | undefined) {
    this.#provider = provider;
    this.#modules = modules;
    this.#prefix = name === undefined ? 'session' : `session.${name}`;
  }

  async onModuleInit(): Promise<void> {
    const { sessions } = this.#provider;
    const emitter = sessions === null ? null : await this.#emitter();
    if (sessions === null || emitter === null) return;
    for (const type of sessionEventTypes) {
      sessions.events.on(type, (event) => emitter.emit(`${this.#prefix}.${type}`, event));
    }
  }

  async #emitter(): Promise<Emitter | null> {
    try {
      const { EventEmitter2 } = await import('@nestjs/event-emitter');
      return this.#modules.get<Emitter>(EventEmitter2, { strict: false });
    } catch {
      // Not installed, or not among the application's modules.
      return null;
    }
  }
}
