import { InMemorySessionStore, type SessionStore } from '@lexigram/ai-session';

/**
 * A store on top of another one that answers before it commits, as a store with a write-behind cache does:
 * reads and answers come from memory, and the writes follow a little later. The tests of durability must
 * find out.
 */
export function answersEarly(below: SessionStore): SessionStore {
  const memory = new InMemorySessionStore();
  let pending: (() => Promise<unknown>)[] = [];
  const later = (write: () => Promise<unknown>): void => {
    if (pending.push(write) === 1) setTimeout(() => void flush(), 20);
  };
  const flush = async (): Promise<void> => {
    const writes = pending;
    pending = [];
    for (const write of writes) await write();
  };
  const override: Partial<SessionStore> = {
    async create(session) {
      const result = await memory.create(session);
      later(() => below.create(session));
      return result;
    },
    async commit(sessionId, commit) {
      const result = await memory.commit(sessionId, commit);
      later(() => below.commit(sessionId, commit));
      return result;
    },
    async close() {
      await flush();
      await below.close();
    },
  };
  return new Proxy(memory, {
    get(target, name: keyof SessionStore) {
      const own = override[name];
      if (own !== undefined) return own;
      const value = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
