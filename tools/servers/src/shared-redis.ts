import { RedisServer } from './redis-server.ts';
import { sharedServer } from './shared-server.ts';

let url: Promise<string> | undefined;

/**
 * The URL of a Redis for tests: that of LEX_TEST_REDIS_URL, or a server that the first who asks starts and all
 * workers of the run share. It promises nothing past a crash: what is to survive one starts
 * its own.
 *
 * @throws if there is no Redis to be had
 */
export function redisUrl(): Promise<string> {
  url ??= process.env['LEX_TEST_REDIS_URL']
    ? Promise.resolve(process.env['LEX_TEST_REDIS_URL'])
    : sharedServer('redis', () =>
        RedisServer.start({ settings: { appendonly: 'yes', appendfsync: 'everysec' } }),
      );
  return url;
}
