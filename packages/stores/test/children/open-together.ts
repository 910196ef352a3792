// Opens the files that the test names, when it names them, and writes a session into each.
import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { errorFacts, hear, say } from './talk.ts';

const [name = ''] = process.argv.slice(2);
say({ did: 'load' });
for (;;) {
  const { path } = await hear<{ path: string }>();
  try {
    const store = await SqliteSessionStore.open(path, { lockTimeoutMs: 60_000 });
    const { manager } = await createSessions({}, { store });
    await manager.create({ userId: name, sessionId: name });
    await store.close();
    say({ did: 'write' });
  } catch (error) {
    say({ error: errorFacts(error) });
  }
}
