// Opens five sweepers of one process, sweeps with all of them at once when it is told to, and says what they did.
import { createSessions } from '@lexigram/ai-session';
import { sweepBlindly } from '../broken/sweeps-blindly.ts';
import { openUrl } from '../kit/open-url.ts';
import { hear, leave, say } from './talk.ts';

const [url = '', aheadMs = '0', twin] = process.argv.slice(2);
const clock = () => Date.now() + Number(aheadMs);
const isFile = url.startsWith('sqlite:');
const shared = isFile ? undefined : openUrl(url, { clock });
const sweepers = await Promise.all(
  Array.from({ length: 5 }, async () => {
    // A server has only so many connections; a file has one for each store.
    const store = await (shared ?? openUrl(url, { clock }));
    const { cleanup } = await createSessions({}, { store });
    return async (): Promise<number> => {
      if (twin === 'blindly') return sweepBlindly(store);
      const { expired, failures } = await cleanup.sweep();
      if (failures.length > 0) throw failures[0]?.error;
      return expired;
    };
  }),
);
say({ did: 'open' });
await hear();
const expired = await Promise.all(sweepers.map((sweep) => sweep()));
say({ expired: expired.reduce((sum, count) => sum + count, 0) });
leave();
