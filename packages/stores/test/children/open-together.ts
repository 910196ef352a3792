// Opens the files that the test names, when it names them, and writes a session into each.
import { createSessions } from '@lexigram/ai-session';
import { openPlace } from '../kit/open-place.ts';
import { errorFacts, hear, say } from './talk.ts';

const [name = ''] = process.argv.slice(2);
say({ did: 'load' });
for (;;) {
  const { path } = await hear<{ path: string }>();
  try {
    const store = await openPlace(path);
    const { manager } = await createSessions({}, { store });
    await manager.create({ userId: name, sessionId: name });
    await store.close();
    say({ did: 'write' });
  } catch (error) {
    say({ error: errorFacts(error) });
  }
}
