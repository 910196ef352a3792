import type { SessionStore } from '@lexigram/ai-session';
import { CacheSessionStore, PostgresSessionStore } from '@lexigram/ai-session-stores';
import { Pool } from 'pg';
import { connectRedis } from '../kit/connect-redis.ts';
import type { OpenUrlOptions } from '../kit/open-url.ts';
import { placeOfUrl } from '../kit/place-of-url.ts';
import * as scripts from './changed-scripts.ts';
import * as statements from './changed-statements.ts';
import { resendingClient, resendingPool } from './resending-connections.ts';

/** What a store behind a network may lack. */
export type Breakage =
  /** Its connections send again by themselves what was not answered. */
  | 'resends'
  /** It writes to a session as it knows it, though others have changed it. */
  | 'without-version'
  /** It does not look whether a turn's id is there already. */
  | 'without-ids';

/** The store of a URL of Postgres or Redis, broken. */
export function openBroken(
  url: string,
  breakage: Breakage,
  options: OpenUrlOptions = {},
): Promise<SessionStore> {
  return url.startsWith('postgres')
    ? openPostgres(url, breakage, options)
    : openRedis(url, breakage, options);
}

async function openPostgres(
  url: string,
  breakage: Breakage,
  options: OpenUrlOptions,
): Promise<SessionStore> {
  const { schema, server } = placeOfUrl(url);
  const pool = new Pool({ connectionString: server });
  pool.on('error', () => {});
  const change = breakage === 'without-ids' ? statements.withoutIds : statements.withoutVersion;
  const lent =
    breakage === 'resends' ? resendingPool(pool) : statements.changingStatements(pool, change);
  const store = await PostgresSessionStore.open(lent, { ...options, schema });
  return closingWith(store, () => pool.end());
}

async function openRedis(
  url: string,
  breakage: Breakage,
  { synchronous: _, ...options }: OpenUrlOptions,
): Promise<SessionStore> {
  const client = await connectRedis(url);
  const change = breakage === 'without-ids' ? scripts.withoutIds : scripts.withoutVersion;
  const lent =
    breakage === 'resends' ? resendingClient(client) : scripts.changingScripts(client, change);
  const store = await CacheSessionStore.open(lent as never, {
    ...options,
    prefix: placeOfUrl(url).prefix,
  });
  return closingWith(store, async () => client.destroy());
}

function closingWith(store: SessionStore, end: () => Promise<void>): SessionStore {
  const close = async (): Promise<void> => {
    await store.close();
    await end();
  };
  return new Proxy(store, {
    get(target, name: keyof SessionStore) {
      if (name === 'close') return close;
      const value = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
