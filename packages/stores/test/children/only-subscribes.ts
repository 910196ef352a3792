// Subscribes and does nothing else: the process ends by itself.
import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';

const store = await SqliteSessionStore.open(process.argv[2] ?? '');
const sessions = await createSessions({}, { store });
const subscription = sessions.events.subscribe();
await subscription.start;
void subscription.next();
