import { randomBytes } from 'node:crypto';
import { createSessions } from '@lexigram/ai-session';
import { bindLaws, type OpenStore, openLasting } from '@lexigram/ai-session-contract';
import { redisClusterUrls } from '@lexigram/ai-session-servers';
import { createCluster } from 'redis';
import { afterAll, describe, expect, it } from 'vitest';
import { CacheSessionStore } from '../../src/redis/index.ts';
import { someLaws } from '../kit/some-laws.ts';
import { useAll } from '../kit/use-all.ts';

/** A cluster's client of the caller's, which speaks the older version of the protocol. */
async function connect() {
  const rootNodes = (await redisClusterUrls()).map((url) => ({ url }));
  const client = createCluster({ rootNodes, RESP: 2, defaults: { disableOfflineQueue: true } });
  client.on('error', () => {});
  await client.connect();
  return client;
}

let connected: ReturnType<typeof connect> | undefined;
afterAll(async () => (await connected)?.destroy());

const openOver: OpenStore = async ({ clock }) => {
  connected ??= connect();
  const client = (await connected) as never;
  const prefix = `t${randomBytes(8).toString('hex')}:`;
  return openLasting(() => CacheSessionStore.open(client, { clock, prefix }));
};

describe('a client of a cluster that speaks RESP2', () => {
  it('serves everything', async () => {
    const { dispose, store } = await openOver({ clock: Date.now });
    expect((store as CacheSessionStore).durability).toBe('everysec');
    await useAll(await createSessions({ autoCheckpointInterval: 2 }, { store }), 'resp2');
    await dispose();
  });

  bindLaws({ describe, it }, openOver, someLaws(4));
});
