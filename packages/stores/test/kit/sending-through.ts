import type { RedisClientType, RedisClusterType } from 'redis';

export type AnyRedisClient = RedisClientType | RedisClusterType;

/** A client, of a server or of a cluster, whose commands go another way. */
export function sendingThrough<C extends AnyRedisClient>(
  client: C,
  through: (words: string[], send: (words: string[]) => Promise<unknown>) => Promise<unknown>,
): C {
  const send = client.sendCommand.bind(client) as (...args: unknown[]) => Promise<unknown>;
  // A cluster is told first of which key a command is, and whether it only reads.
  const sendCommand = (...args: unknown[]): Promise<unknown> =>
    through(args.at(-1) as string[], (words) => send(...args.slice(0, -1), words));
  return Object.assign(Object.create(client), { sendCommand });
}
