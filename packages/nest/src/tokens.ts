import type { InjectionToken } from '@nestjs/common';

/** A class, also one that only its own static methods make. */
export interface ServiceClass {
  readonly name: string;
  readonly prototype: object;
}

/** All services of an instance, as `createSessions` answers them. Null where sessions are switched off. */
export const SESSIONS: symbol = Symbol.for('lexigram.ai-session.nest.sessions');
/** The store of an instance. */
export const SESSION_STORE: symbol = Symbol.for('lexigram.ai-session.nest.store');
/** The checked configuration of an instance. */
export const SESSION_CONFIG: symbol = Symbol.for('lexigram.ai-session.nest.config');
/** What the module itself needs of its instance. */
export const RUNTIME: symbol = Symbol.for('lexigram.ai-session.nest.runtime');

/**
 * The token of a service of a named instance: `@Inject(getSessionToken(SessionManager, 'support'))`. Without a name
 * it is the service's class, or the symbol, itself.
 */
export function getSessionToken(service: ServiceClass | symbol, name?: string): InjectionToken {
  if (name === undefined) return service as InjectionToken;
  const called = typeof service === 'symbol' ? service.description : service.name;
  return `lexigram.ai-session.nest/${name}/${called}`;
}
