import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { aptInstall } from './apt-install.ts';

/**
 * The path of `redis-server`, or of `valkey-server`: what LEX_TEST_REDIS_SERVER names; that of this machine; as root on
 * Debian, what `apt-get` brings.
 *
 * @throws if there is none to be had, with what can be done
 */
export async function redisBinary(): Promise<string> {
  const named = process.env['LEX_TEST_REDIS_SERVER'];
  if (named) return named;
  let failure = '';
  const there = installed();
  if (there !== null) return there;
  try {
    await aptInstall({ name: 'redis-server', program: '/usr/bin/redis-server' });
  } catch (error) {
    failure = (error as Error).message;
  }
  const brought = installed();
  if (brought !== null) return brought;
  throw new Error(
    `These tests need a Redis server and found none. Install one (apt-get install redis-server, brew install redis), or name one in LEX_TEST_REDIS_URL, or leave them out by name: npm test -- --without=redis\n${failure}`,
  );
}

function installed(): string | null {
  const folders = [
    '/usr/bin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of folders) {
      if (existsSync(join(folder, name))) return join(folder, name);
    }
  }
  return null;
}
