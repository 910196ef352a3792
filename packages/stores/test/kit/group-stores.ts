import { emptyPostgresUrl } from './open-postgres.ts';
import { ownRedisUrl } from './open-redis.ts';

/** A store on which groups are tried, opened by many processes through its URL. */
export interface GroupStore {
  readonly name: string;
  /** The URL of an empty store of the running test's own. */
  url(folder: string): string | Promise<string>;
}

export const groupStores: readonly GroupStore[] = [
  { name: 'SQLite', url: (folder) => `sqlite:${folder}/sessions.db` },
  { name: 'Postgres', url: emptyPostgresUrl },
  { name: 'Redis', url: ownRedisUrl },
];
