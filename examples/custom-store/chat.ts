import { createSessions } from '@lexigram/ai-session';
import { Keyv } from 'keyv';
import { Folder } from './folder.ts';
import { openKeyvStore } from './keyv-store.ts';

// #region chat
const store = await openKeyvStore(new Keyv({ store: new Folder('sessions') }));
const { manager } = await createSessions({}, { store });
const [last] = (await manager.list({ userId: 'ann', limit: 1 })).items;
const { sessionId } = last ?? (await manager.create({ userId: 'ann' }));
const content = process.argv[2] ?? 'Hello again!';
const { turn } = await manager.addTurn(sessionId, { role: 'user', content });
console.log(`${turn.seq}: ${turn.content}`);
await store.close();
// #endregion
