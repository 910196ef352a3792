// Runs the team on a session, and dies of SIGKILL right before or after the n-th commit, if so told.
import { createSessions, type SessionStore } from '@lexigram/ai-session';
import { type Choice, makeTeam, message, rounds } from '../kit/group-team.ts';
import { openUrl } from '../kit/open-url.ts';
import { leave, say } from './talk.ts';

const [url = '', sessionId = '', choice = '', log = '', workMs = '', moment = '', n = ''] =
  process.argv.slice(2);
const store = await openUrl(url, { synchronous: 'normal' });
let left = Number(n);
const commit: SessionStore['commit'] = async (id, given) => {
  // A beat comes when it comes: it is no point of the story.
  const isBeat =
    given.records?.some((write) => 'sameVersion' in write && write.sameVersion) === true;
  if (!isBeat) left -= 1;
  if (left === 0 && !isBeat && moment === 'before') process.kill(process.pid, 'SIGKILL');
  const result = await store.commit(id, given);
  if (left === 0 && !isBeat && moment === 'after') process.kill(process.pid, 'SIGKILL');
  return result;
};
const counted = new Proxy(store, {
  get(target, key) {
    const value: unknown = key === 'commit' ? commit : Reflect.get(target, key);
    return typeof value === 'function' ? value.bind(target) : value;
  },
});
const sessions = await createSessions({}, { store: counted });
const team = makeTeam(sessions, { choice: choice as Choice, log, workMs: Number(workMs) });
say({ begins: true });
const { reason } = await team.run(sessionId, message, { maxRounds: rounds });
say({ reason, commits: -left });
leave();
