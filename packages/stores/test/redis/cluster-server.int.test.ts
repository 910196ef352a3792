import { RedisCluster, type RedisServer, redisClusterUrls } from '@lexigram/ai-session-servers';
import { expect, it, onTestFinished } from 'vitest';
import { clientOf } from '../kit/redis-of-test.ts';

const nodeTimeoutMs = 2_000;

async function startCluster(): Promise<RedisCluster> {
  const cluster = await RedisCluster.start({ nodeTimeoutMs });
  onTestFinished(() => cluster.stop());
  return cluster;
}

/** Writes a key, and answers once its replica has it. */
async function write(cluster: RedisCluster, key: string, value: string): Promise<RedisServer> {
  const master = await cluster.masterOf(key);
  const client = await clientOf(master.url);
  await client.set(key, value);
  expect(await client.wait(1, 5_000)).toBe(1);
  return master;
}

async function read(cluster: RedisCluster, key: string): Promise<string | null> {
  return (await clientOf((await cluster.masterOf(key)).url)).get(key);
}

async function takenOver(cluster: RedisCluster, key: string, from: RedisServer): Promise<void> {
  const serving = async (): Promise<number> => (await cluster.masterOf(key)).port;
  await expect.poll(serving, { timeout: nodeTimeoutMs + 10_000 }).not.toBe(from.port);
}

it('three masters have a replica each, and serve all slots', async () => {
  const cluster = await startCluster();
  expect(new Set(cluster.urls).size).toBe(6);
  const masters = await Promise.all([0, 8_000, 16_383].map((slot) => cluster.masterOf(slot)));
  expect(new Set(masters).size).toBe(3);
  const replicas = await Promise.all(masters.map((master) => cluster.replicasOf(master)));
  expect(new Set([...masters, ...replicas.flat()]).size).toBe(6);
  expect(replicas.map(({ length }) => length)).toEqual([1, 1, 1]);
});

it('a replica takes over from a master that is killed, which comes back as a replica', async () => {
  const cluster = await startCluster();
  const killed = await write(cluster, 'key', 'value');
  const [replica] = await cluster.replicasOf(killed);
  await killed.kill();
  let isSettled = false;
  const settled = cluster.settled().then(() => {
    isSettled = true;
  });
  await takenOver(cluster, 'key', killed);
  expect(await cluster.masterOf('key')).toBe(replica);
  expect(await read(cluster, 'key')).toBe('value');
  // All slots are served, but a node is missing.
  expect(isSettled).toBe(false);

  await killed.restart();
  await settled;
  expect(await cluster.replicasOf(await cluster.masterOf('key'))).toEqual([killed]);
  expect(await cluster.replicasOf(killed)).toEqual([]);
  expect(await write(cluster, 'key', 'after')).toBe(replica);
});

it('a replica takes over from a master that is paused, which follows it once it goes on', async () => {
  const cluster = await startCluster();
  const paused = await write(cluster, 'key', 'value');
  paused.pause();
  await takenOver(cluster, 'key', paused);
  paused.resume();
  await cluster.settled();
  expect(await cluster.replicasOf(await cluster.masterOf('key'))).toEqual([paused]);
  expect(await read(cluster, 'key')).toBe('value');
});

it('all tests of a run share a cluster', async () => {
  const urls = await redisClusterUrls();
  expect(await redisClusterUrls()).toBe(urls);
  const nodes = await Promise.all(urls.map(clientOf));
  const infos = await Promise.all(nodes.map((node) => node.sendCommand(['CLUSTER', 'INFO'])));
  expect(infos.filter((info) => String(info).includes('cluster_state:ok'))).toEqual(infos);
});
