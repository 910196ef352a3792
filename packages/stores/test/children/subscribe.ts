// Subscribes to all, to a user and to a session, and writes each event down behind its cursor; goes on where it was.
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { createSessions, type SubscribeOptions } from '@lexigram/ai-session';
import { pollsByTime } from '../broken/polls-by-time-store.ts';
import { keyOf, lastWord, type Noted } from '../kit/noted-events.ts';
import { openUrl } from '../kit/open-url.ts';
import { leave, say } from './talk.ts';

interface Task {
  readonly log: string;
  readonly options: SubscribeOptions;
  /** Where it begins if nothing was noted yet. */
  readonly begin: string;
  /** Sessions whose last word it waits for. */
  readonly sessions: readonly string[];
}

const [url = '', tasks = '', twin] = process.argv.slice(2);
const below = await openUrl(url);
const store = twin === 'polls-by-time' ? pollsByTime(below) : below;
const { events } = await createSessions({}, { store });

/** What was noted in whole lines; a line that a kill has torn is cut off. */
function readNotes(log: string): readonly Noted[] {
  if (!existsSync(log)) return [];
  const text = readFileSync(log, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(log, whole.length);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Noted);
}

async function follow({ begin, log, options, sessions }: Task): Promise<void> {
  const notes = readNotes(log);
  const open = new Set(sessions);
  for (const { key, sessionId } of notes) if (key.endsWith(lastWord)) open.delete(sessionId);
  if (open.size === 0) return;
  const subscription = events.subscribe({ ...options, after: notes.at(-1)?.cursor ?? begin });
  for await (const event of subscription) {
    const noted: Noted = {
      cursor: event.cursor,
      sessionId: event.sessionId ?? '',
      revision: event.revision ?? 0,
      key: keyOf(event),
    };
    appendFileSync(log, `${JSON.stringify(noted)}\n`);
    if (noted.key.endsWith(lastWord)) open.delete(noted.sessionId);
    if (open.size === 0) break;
  }
}

say({ did: 'open' });
// What waits for the test keeps the process alive: a subscription does not.
await Promise.all((JSON.parse(tasks) as Task[]).map(follow));
say({ did: 'all' });
leave();
