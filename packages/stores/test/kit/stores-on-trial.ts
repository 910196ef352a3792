import type { OpenStore } from '@lexigram/ai-session-contract';
import { describe } from 'vitest';
import { isFull } from '../scale.ts';
import { emptyPostgresUrl, openPostgres } from './open-postgres.ts';
import { openRedis, openRedisCluster, ownClusterUrl, ownRedisUrl } from './open-redis.ts';
import { openSqlite } from './open-sqlite.ts';

/** A store that a test takes as its parameter. */
export interface StoreOnTrial {
  readonly name: string;
  /** The server that it needs, by the name under which it is left out. */
  readonly server: 'postgres' | 'redis' | null;
  /** The URL of an empty store of the running test's own, for many processes. */
  url(folder: string): string | Promise<string>;
  /** An empty store of the running test's own, in this process. */
  readonly open: OpenStore;
}

export const sqlite: StoreOnTrial = {
  name: 'SQLite',
  server: null,
  url: (folder) => `sqlite:${folder}/sessions.db`,
  open: openSqlite,
};

export const postgres: StoreOnTrial = {
  name: 'Postgres',
  server: 'postgres',
  url: emptyPostgresUrl,
  open: openPostgres,
};

export const redis: StoreOnTrial = {
  name: 'Redis',
  server: 'redis',
  url: ownRedisUrl,
  open: openRedis,
};

export const redisCluster: StoreOnTrial = {
  name: 'a Redis Cluster',
  server: 'redis',
  url: ownClusterUrl,
  open: openRedisCluster,
};

export const storesOnTrial: readonly StoreOnTrial[] = [sqlite, postgres, redis, redisCluster];

/** Those behind a network, where a write looks whether the session is still at the version that was read. */
export const versionedStores: readonly StoreOnTrial[] = [postgres, redis, redisCluster];

/** Where what is tried does not depend on how many servers there are: on a cluster at full counts only. */
export const storesOfOneServer: readonly StoreOnTrial[] = isFull
  ? storesOnTrial
  : [sqlite, postgres, redis];

/** Where what is tried are rules that all stores share: on SQLite, and on all at full counts. */
export const sqliteOrAll: readonly StoreOnTrial[] = isFull ? storesOnTrial : [sqlite];

/** Where a test is shown to find what is broken: on one of its stores, and on all at full counts. */
export function storesOfTwins<S>(stores: readonly S[]): readonly S[] {
  return isFull ? stores : stores.slice(-1);
}

const leftOut: ReadonlySet<string> = new Set((process.env['LEX_TEST_WITHOUT'] ?? '').split(','));

/** The same tests for each store; where its server is left out by name they are shown as skipped. */
export function describeEach<S extends Pick<StoreOnTrial, 'name' | 'server'>>(
  stores: readonly S[],
  title: string,
  tests: (store: S) => void,
): void {
  for (const store of stores) {
    const isLeftOut = store.server !== null && leftOut.has(store.server);
    describe.skipIf(isLeftOut)(`${title} on ${store.name}`, () => tests(store));
  }
}
