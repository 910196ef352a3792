import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisServer, redisUrl } from '@lexigram/ai-session-servers';
import { expect, it, onTestFinished } from 'vitest';
import { clientOf, startServer } from '../kit/redis-of-test.ts';

it('a server is killed, starts again on its port, and goes away with its folder, even paused', async () => {
  const server = await startServer({ appendonly: 'yes', appendfsync: 'always' });
  await (await clientOf(server.url)).set('key', 'value');
  await expect(server.restart()).rejects.toThrow('Redis runs already');
  await server.kill();
  expect(server.pid).toBe(0);
  await server.restart();
  expect(await (await clientOf(server.url)).get('key')).toBe('value');
  server.pause();
  await server.stop();
  expect(server.pid).toBe(0);
  expect(existsSync(server.folder)).toBe(false);
});

it('a server that does not start says why, and leaves nothing', async () => {
  const within = await mkdtemp(join(tmpdir(), 'lexigram-no-server-'));
  onTestFinished(() => rm(within, { recursive: true }));
  const start = RedisServer.start({ settings: { 'no-such-setting': 1 }, within });
  await expect(start).rejects.toThrow(/Redis did not start: (.|\n)*no-such-setting/);
  expect(await readdir(within)).toEqual([]);
});

it('all tests of a run share a server', async () => {
  const url = await redisUrl();
  expect(await redisUrl()).toBe(url);
  expect(await (await clientOf(url)).ping()).toBe('PONG');
});
