import type { SessionStore } from '@lexigram/ai-session';

const writing: ReadonlySet<PropertyKey> = new Set<keyof SessionStore>([
  'create',
  'commit',
  'erase',
  'collect',
]);

/** A store, and whether anything was asked of it since that could have written. */
export interface WatchedStore {
  readonly store: SessionStore;
  /** Whether one of the verbs that write was called since the last time this was asked. */
  wasWritten(): boolean;
}

/** The same store, with an eye on its verbs that write. */
export function watchStore(store: SessionStore): WatchedStore {
  let written = false;
  const watched = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...given: readonly unknown[]): unknown => {
        if (writing.has(name)) written = true;
        return Reflect.apply(member, target, given);
      };
    },
  });
  return {
    store: watched,
    wasWritten() {
      const was = written;
      written = false;
      return was;
    },
  };
}
