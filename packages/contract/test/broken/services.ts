import {
  createSessions,
  InMemorySessionStore,
  type SessionConfigInput,
  type SessionStore,
  type Sessions,
} from '@lexigram/ai-session';
import type { OpenStore } from '../../src/index.ts';

type Manager = Sessions['manager'];

/** Other services over a store that is as it should be. */
function serving(
  change: (
    sessions: Sessions,
    store: SessionStore,
    config: SessionConfigInput,
  ) => Promise<Sessions>,
): OpenStore {
  return async ({ clock }) => {
    const store = new InMemorySessionStore({ clock });
    return {
      store,
      services: async (config) => change(await createSessions(config, { store }), store, config),
      dispose: () => store.close(),
    };
  };
}

/** Services with some calls of the manager replaced. */
function managing(change: (manager: Manager) => Partial<Manager>): OpenStore {
  return serving(async (sessions) => {
    const calls = change(sessions.manager);
    const manager = new Proxy(sessions.manager, {
      get(target, name) {
        const call: unknown = Reflect.get(calls, name) ?? Reflect.get(target, name);
        return typeof call === 'function' ? call.bind(target) : call;
      },
    });
    return { ...sessions, manager };
  });
}

type Query = NonNullable<Parameters<Manager['list']>[0]>;

/** Services that break what no store can break. */

/** Leaves out filters that it does not know. */
export const dropsUnknownFilters: OpenStore = managing((manager) => ({
  list: ({ userId, status, metadata, limit, cursor }: Query = {}) =>
    manager.list({ userId, status, metadata, limit, cursor }),
}));

/** Begins at the start for a cursor that it does not know. */
export const forgivesCursors: OpenStore = managing((manager) => ({
  list: ({ cursor, ...query }: Query = {}) =>
    manager.list({ ...query, cursor }).catch(() => manager.list(query)),
}));

/** Mends ill-formed text in silence. */
export const mendsText: OpenStore = managing((manager) => ({
  addTurn: (id, turn, options) => {
    const { content } = turn;
    const mended =
      typeof content === 'string' ? content.toWellFormed().replaceAll('\0', '') : content;
    return manager.addTurn(id, { ...turn, content: mended }, options);
  },
}));

/** Answers with objects that the caller may change. */
export const answersOpenObjects: OpenStore = managing((manager) => ({
  addTurn: async (id, turn, options) => structuredClone(await manager.addTurn(id, turn, options)),
}));

/** Keeps the caller's own objects for a while. */
export const readsInputLate: OpenStore = managing((manager) => ({
  addTurn: async (id, turn, options) => {
    await Promise.resolve();
    return manager.addTurn(id, turn, options);
  },
}));

/** Reads on from the seq where it stands in whichever history there is by then. */
export const readsOnElsewhere: OpenStore = managing((manager) => ({
  async *turns(id, options) {
    for (let from = 1; ; from++) {
      const { turnCount } = await manager.getState(id);
      if (from > turnCount) return;
      yield* manager.turns(id, { ...options, from, to: from });
    }
  },
}));

/** Takes no number of items. */
export const listsByTheHundredOnly: OpenStore = managing((manager) => ({
  list: ({ limit: _, ...query }: Query = {}) => manager.list(query),
}));

/** Forks wherever it is told to. */
export const forksWhenFull: OpenStore = serving(async (sessions, store, config) => {
  const { branches } = await createSessions({ ...config, maxTurnsPerSession: 1_000 }, { store });
  return { ...sessions, branches };
});
