// Sends five copies of each turn at once, again and again until one is acknowledged, and says which those are.
import { createSessions, isSessionError } from '@lexigram/ai-session';
import { openBroken } from '../broken/open-broken.ts';
import { openUrl } from '../kit/open-url.ts';
import { leave, say } from './talk.ts';

const [url = '', sessions = '', twin = '', ...keys] = process.argv.slice(2);
const store = await (twin === 'forgets' ? openBroken(url, 'without-ids') : openUrl(url));
const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
const ids = sessions.split(',');
say({ did: 'open' });

async function send(key: string): Promise<void> {
  const sessionId = ids[Number(key.slice(1)) % ids.length] as string;
  for (;;) {
    const copies = await Promise.allSettled(
      Array.from({ length: 5 }, () =>
        manager.addTurn(sessionId, { turnId: key, role: 'user', content: key }),
      ),
    );
    for (const copy of copies) {
      if (copy.status === 'fulfilled') continue;
      // The answer was lost for too long: that is what the key is for.
      if (!isSessionError(copy.reason) || copy.reason.code !== 'LEX_ERR_SES_016') throw copy.reason;
    }
    if (copies.some((copy) => copy.status === 'fulfilled')) {
      say({ key });
      return;
    }
  }
}

const left = [...keys];
await Promise.all(
  Array.from({ length: 8 }, async () => {
    for (let key = left.shift(); key !== undefined; key = left.shift()) await send(key);
  }),
);
say({ did: 'all' });
leave();
