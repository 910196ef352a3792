import type { Engine } from './engine.ts';

/** The engines behind services, for those parts of this package that are made over a service. */
const engines = new WeakMap<object, Engine>();

export function rememberEngine(service: object, engine: Engine): void {
  engines.set(service, engine);
}

/** The engine behind a service, or undefined: it is somebody else's, like a client's. */
export function engineOf(service: unknown): Engine | undefined {
  return typeof service === 'object' && service !== null ? engines.get(service) : undefined;
}
