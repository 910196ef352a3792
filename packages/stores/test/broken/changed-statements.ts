import type { PostgresClient, PostgresPool } from '@lexigram/ai-session-stores/postgres';
import type { Pool } from 'pg';

/** A pool whose statements are changed on their way: a store that lacks something that a test says it needs. */
export function changingStatements(pool: Pool, change: (text: string) => string): PostgresPool {
  return {
    connect: async () => {
      const client = (await pool.connect()) as unknown as PostgresClient;
      return {
        query: (query) => {
          const text = change(query.text);
          // Under a name of its own: the same connection may know the other text.
          const { name: _, ...unnamed } = query;
          return client.query(text === query.text ? query : { ...unnamed, text });
        },
        on: (event, listener) => client.on?.(event, listener),
        off: (event, listener) => client.off?.(event, listener),
        release: (destroy) => client.release(destroy),
      };
    },
  };
}

/** Takes every id of a turn to be new. */
export function withoutIds(text: string): string {
  return text.replace(/(NOT EXISTS \(SELECT FROM \S+ t WHERE )/, '$1false AND ');
}

/** Writes whatever the session's version is by now. */
export function withoutVersion(text: string): string {
  return text.replace(/ AND version = (\$\d+::bigint)/, ' AND $1 > 0');
}
