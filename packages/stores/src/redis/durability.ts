import type { RunRedis } from './client.ts';

/**
 * What an acknowledged turn survives: `always`, a crash of the server; `everysec`, one but for about the last second;
 * `snapshots`, what came before the last snapshot; `none`, nothing; `unknown` where the server does not say.
 */
export type RedisDurability = 'always' | 'everysec' | 'snapshots' | 'none' | 'unknown';

/** Once is enough for a process. */
let warned = false;

/** Reads the server's persistence, and warns where it keeps nothing. */
export async function readDurability(run: RunRedis, until: number): Promise<RedisDurability> {
  const durability = await read(run, until);
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
  const value = async (name: string): Promise<string> => {
    const found = (await run(['CONFIG', 'GET', name], until)) as string[] | Record<string, string>;
    return String(Array.isArray(found) ? found[1] : found[name]);
  };
  try {
    if ((await value('appendonly')) === 'yes') {
      return (await value('appendfsync')) === 'always' ? 'always' : 'everysec';
    }
    return (await value('save')) === '' ? 'none' : 'snapshots';
  } catch (error) {
    // Managed servers do not tell.
    if (error instanceof Error && /^(ERR|NOPERM)/.test(error.message)) return 'unknown';
    throw error;
  }
}
