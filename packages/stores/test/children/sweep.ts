// Opens five sweepers of one process, sweeps with all of them at once when it is told to, and says what they did.
import { createSessions } from '@lexigram/ai-session';
import { SqliteSessionStore } from '@lexigram/ai-session-stores';
import { sweepBlindly } from '../broken/sweeps-blindly.ts';
import { hear, leave, say } from './talk.ts';

const [path = '', aheadMs = '0', twin] = process.argv.slice(2);
const clock = () => Date.now() + Number(aheadMs);
const sweepers = await Promise.all(
  Array.from({ length: 5 }, async () => {
    const store = await SqliteSessionStore.open(path, { clock, lockTimeoutMs: 60_000 });
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
