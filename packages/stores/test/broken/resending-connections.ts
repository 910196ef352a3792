import type { PostgresClient, PostgresPool } from '@lexigram/ai-session-stores/postgres';
import type { Pool } from 'pg';
import { pause } from '../kit/pause.ts';
import { type AnyRedisClient, sendingThrough } from '../kit/sending-through.ts';

/**
 * A pool that sends a statement again whose answer was lost, as some clients do by themselves: the store is told of a
 * lost race where it was its own write that went through.
 */
export function resendingPool(pool: Pool): PostgresPool {
  return {
    connect: async () => {
      const connect = async (): Promise<PostgresClient> =>
        (await pool.connect()) as unknown as PostgresClient;
      let client: PostgresClient | null = await connect();
      let isReleased = false;
      return {
        query: async (query) => {
          for (;;) {
            try {
              return await (client as PostgresClient).query(query);
            } catch (error) {
              if (isReleased || (error as { severity?: unknown }).severity !== undefined)
                throw error;
              client?.release(true);
              client = null;
              await pause(5);
              const other = await connect();
              other.on?.('error', () => {});
              // Whoever asked may have given up meanwhile.
              if (isReleased) other.release(true);
              client = other;
            }
          }
        },
        on: (event, listener) => client?.on?.(event, listener),
        off: (event, listener) => client?.off?.(event, listener),
        release: (destroy) => {
          isReleased = true;
          client?.release(destroy);
        },
      };
    },
  };
}

/** A client that does the same. */
export function resendingClient<C extends AnyRedisClient>(client: C): C {
  return sendingThrough(client, async (words, send) => {
    for (;;) {
      try {
        return await send(words);
      } catch (error) {
        // What the server answers begins with a word in capitals.
        if (!client.isOpen || /^[A-Z]{2,}\b/.test((error as Error).message)) throw error;
        await pause(5);
      }
    }
  });
}
