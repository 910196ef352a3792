import { SessionNotFoundError, type Sessions } from '@lexigram/ai-session';
import { type Conversation, readConversations } from '../conversations/read.ts';
import { drawTree } from './draw-tree.ts';
import { readFamily } from './family.ts';
import { type Imported, importConversations } from './import-conversations.ts';
import { lifeConversation, lifeId, live } from './live.ts';
import { sessionIdOf } from './plan.ts';
import { entry, heading, paragraph, progressBar, type Screen } from './screen.ts';
import { drawSpending, readSpending } from './spending.ts';
import { count, usd, whole } from './text.ts';

/** The conversation whose branches are drawn: answers that people wrote beside one another. */
const drawnConversation = 'oasst-be09f381-fa12-464b-82c5-3724eb3a2a81';

/** Where the tour finds its conversations, and how the file of its sessions is called. */
export interface Place {
  readonly data: string;
  readonly db: string;
}

/** The whole tour: brings the conversations in, takes one through its life, and tells what came of it. */
export async function tour(sessions: Sessions, { data, db }: Place, screen: Screen): Promise<void> {
  const conversations: Conversation[] = [];
  for await (const conversation of readConversations(data)) conversations.push(conversation);

  screen.print('', screen.paint('bold', 'lexigram-ai-session'));
  screen.print(
    ...paragraph(
      `Sessions as pointers into timelines: nothing that was said or paid for is ever lost. All that you see here is kept in ${db}, a SQLite file.`,
      screen,
    ),
  );
  screen.print(...heading('Real conversations come in', screen));
  await bringIn(sessions, conversations, db, screen);

  const told = conversations.find(({ id }) => id === lifeConversation) as Conversation;
  screen.print(...heading('The life of a session', screen));
  await tellLife(sessions, told, screen);

  screen.print(...heading('Branches', screen));
  for (const sessionId of [lifeId, sessionIdOf(drawnConversation)]) {
    const family = await orGone(readFamily(sessions, sessionId));
    if (family !== null) screen.print(...drawTree(family, screen), '');
  }
  screen.print(
    ...paragraph(
      'Each branch is a session of its own. The turns before its fork are shared, and every turn was written once.',
      screen,
    ),
  );

  screen.print(...heading('Tokens and money', screen));
  screen.print(...drawSpending(await readSpending(sessions), screen), '');
  await tellLongest(sessions, screen);

  screen.print(...heading('What to try next', screen), ...nextCommands(db, screen));
}

async function bringIn(
  sessions: Sessions,
  conversations: readonly Conversation[],
  db: string,
  screen: Screen,
): Promise<void> {
  const total = conversations.reduce((sum, { turns }) => sum + turns.length, 0);
  const started = performance.now();
  let done = 0;
  let drawn = Number.NEGATIVE_INFINITY;
  const imported = await importConversations(sessions, conversations, (turns, { file }) => {
    done += turns;
    const time = performance.now();
    if (time - drawn < 40 && done < total) return;
    drawn = time;
    screen.show(progressBar({ done, total, label: file }, screen));
  });
  screen.show(null);
  const seconds = (performance.now() - started) / 1000;
  screen.print(...paragraph(summary(imported, db, seconds), screen));
}

function summary(
  { branches, conversations, deleted, turns, written }: Imported,
  db: string,
  seconds: number,
): string {
  const all = `${count(conversations, 'conversation')} with ${count(turns, 'turn')}`;
  const shape = `${count(conversations, 'session')} and ${count(branches, 'branch', 'branches')}`;
  const took = `${seconds.toFixed(1)} s`;
  const left =
    deleted.length === 0
      ? ''
      : ` ${count(deleted.length, 'conversation')} you deleted; they stay so.`;
  if (written === 0) {
    return `${all} were in ${db} already, in ${shape}. All were offered again, and none was written twice: ${took}.${left}`;
  }
  const rest = turns - written;
  const before = rest === 0 ? '' : ` ${count(rest, 'turn')} were there from a run before.`;
  return `${all} are in ${db} now, in ${shape}, each turn on the disk: ${took}.${before}${left}`;
}

async function tellLife(
  sessions: Sessions,
  conversation: Conversation,
  screen: Screen,
): Promise<void> {
  const before = await orGone(sessions.manager.getState(lifeId));
  if (before !== null && before.closedReason === null && before.status !== 'closed') {
    const was = `${before.status}, with ${count(before.turnCount, 'turn')}`;
    screen.print(...paragraph(`An earlier run was broken off here (${was}). It goes on.`, screen));
  }
  let n = 0;
  const outcome = await live(sessions, conversation, ({ name, text }) => {
    n += 1;
    screen.print(...entry(`${n} ${name}`, text, screen));
  });
  if (outcome === 'told now') return;
  if (outcome === 'deleted' || before === null) {
    const text = `${lifeId} was deleted, and an id is not used again. To see it live, use another file.`;
    screen.print(...paragraph(text, screen));
    return;
  }
  const { items } = await sessions.checkpoints.list(lifeId);
  const branches = await sessions.branches.list(lifeId);
  const text = `${lifeId} lived in an earlier run and was closed on ${before.updatedAt.slice(0, 10)}. It has ${count(before.turnCount, 'turn')}, ${count(items.length, 'checkpoint')} and ${count(branches.items.length, 'branch', 'branches')}; it cost ${usd(before.lifetimeCost)}. Nothing of it was done again.`;
  screen.print(...paragraph(text, screen));
}

async function tellLongest(sessions: Sessions, screen: Screen): Promise<void> {
  const report = await orGone(sessions.analytics.session(sessionIdOf(lifeConversation)));
  if (report === null) return;
  const { durationSeconds, modelsUsed, sessionId, toolCalls, toolsInvoked, totalTurns } = report;
  const time = `${(durationSeconds / 3600).toFixed(1)} hours`;
  const text = `The longest is ${sessionId}: ${whole(totalTurns)} turns in ${time}, by ${modelsUsed.join(' and ')}, with ${whole(toolCalls)} calls of the tools ${toolsInvoked.join(', ')}. A dash is what a source does not say.`;
  screen.print(...paragraph(text, screen));
}

/** Commands that work as they are printed here. */
function nextCommands(db: string, screen: Screen): string[] {
  const options = db === 'sessions.db' ? '' : ` --db ${shellWord(db)}`;
  const again = options === '' ? 'npm start' : `npm start --${options}`;
  const look = (id: string): string => `npm start --${options} --show ${id}`;
  const commands: readonly (readonly [command: string, what: string])[] = [
    [again, 'once more: nothing doubles'],
    [look(lifeId), 'the session whose life this was'],
    [look('irc-2005-06-27_12-l1091'), 'a chat of many threads'],
    [look('tau-airline-t14-r0'), 'an airline’s agent with its tools'],
    ['npm run -w examples first-session', 'the code of the README'],
    ['npm test', 'all that is promised'],
  ];
  const longest = Math.max(...commands.map(([command]) => command.length));
  const beside = longest + 36 <= screen.width;
  return commands.flatMap(([command, what]) => {
    const shown = `  ${screen.paint('green', command)}`;
    if (!beside) return [shown, ...paragraph(what, screen, 6)];
    return [`${shown}${' '.repeat(longest - command.length + 2)}${what}`];
  });
}

/** A word as a shell takes it. */
function shellWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** What a call answers, or null if the session was deleted. */
async function orGone<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof SessionNotFoundError) return null;
    throw error;
  }
}
