import type { RunRedis } from './client.ts';

/**
 * What an acknowledged turn survives: `always`, a crash of the server; `everysec`, one but for about the last second;
 * `snapshots`, what came before the last snapshot; `none`, nothing; `unknown` where the server does not say.
 */
export type RedisDurability = 'always' | 'everysec' | 'snapshots' | 'none' | 'unknown';

/** Once is enough for a process. */
let warned = false;
let warnedOfEviction = false;

/** From the least to the most that is known to survive. */
const order: readonly RedisDurability[] = ['none', 'snapshots', 'unknown', 'everysec', 'always'];

/** Reads the servers' persistence, the weakest of theirs, and warns where it keeps nothing. */
export async function readDurability(
  servers: readonly RunRedis[],
  until: number,
): Promise<RedisDurability> {
  const found = await Promise.all(servers.map((run) => read(run, until)));
  const durability = order.find((one) => found.includes(one)) ?? 'unknown';
  if (durability === 'none' && !warned) {
    warned = true;
    process.emitWarning(
      'This Redis writes nothing to its disk: what is acknowledged is gone when it ends',
      { code: 'LEX_REDIS_DURABILITY' },
    );
  }
  return durability;
}

async function read(run: RunRedis, until: number): Promise<RedisDurability> {
  const value = async (name: string): Promise<string | undefined> => {
    const found = (await run(['CONFIG', 'GET', name], until)) as string[] | Record<string, string>;
    return Array.isArray(found) ? found[1] : found[name];
  };
  try {
    if (((await value('maxmemory-policy')) ?? 'noeviction') !== 'noeviction') warnOfEviction();
    const appends = await value('appendonly');
    if (appends === 'yes') {
      return (await value('appendfsync')) === 'always' ? 'always' : 'everysec';
    }
    const saves = await value('save');
    if (appends === undefined || saves === undefined) return 'unknown';
    return saves === '' ? 'none' : 'snapshots';
  } catch (error) {
    // Managed servers do not tell.
    if (error instanceof Error && /^(ERR|NOPERM)/.test(error.message)) return 'unknown';
    throw error;
  }
}

function warnOfEviction(): void {
  if (warnedOfEviction) return;
  warnedOfEviction = true;
  process.emitWarning(
    'This Redis drops keys of living sessions when it is full: set maxmemory-policy to noeviction',
    { code: 'LEX_REDIS_EVICTION' },
  );
}
