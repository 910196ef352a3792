import type { SessionStore } from '@lexigram/ai-session';

/** A store that writes a turn first and its variables after it: a crash in between leaves half of a commit. */
export function splitsCommits(below: SessionStore): SessionStore {
  return new Proxy(below, {
    get(target, name: keyof SessionStore) {
      if (name !== 'commit') {
        const value = target[name];
        return typeof value === 'function' ? value.bind(target) : value;
      }
      const commit: SessionStore['commit'] = async (sessionId, { patch, ...rest }) => {
        const first = await target.commit(sessionId, rest);
        if (patch === undefined || rest.append === undefined || first.refused !== undefined) {
          return first;
        }
        const second = await target.commit(sessionId, { patch, event: { type: 'variables' } });
        return second.refused === undefined ? { ...first, session: second.session } : second;
      };
      return commit;
    },
  });
}
