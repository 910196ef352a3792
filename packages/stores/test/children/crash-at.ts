// Tells the story and dies of SIGKILL right before the n-th statement that writes.
import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { beforeEachStatement, isWrite } from '../kit/statements.ts';
import { story, storyClock, storyConfig } from '../kit/story.ts';
import { leave, say } from './talk.ts';

const [path = '', n] = process.argv.slice(2);
const store = await SqliteSessionStore.open(path, { clock: storyClock });
const sessions = await createSessions(storyConfig, { store });
let left = Number(n);
beforeEachStatement((sql) => {
  if (isWrite(sql) && --left === 0) process.kill(process.pid, 'SIGKILL');
});
const told = {};
for (const [i, step] of story.entries()) {
  await step(sessions, told);
  say({ step: i + 1 });
}
leave();
