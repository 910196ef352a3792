import type { RedisClientType } from 'redis';

/** A client whose scripts are changed on their way: a store that lacks something that a test says it needs. */
export function changingScripts(
  client: RedisClientType,
  change: (script: string) => string,
): RedisClientType {
  const sendCommand = async (words: string[]): Promise<unknown> => {
    const [name, script = '', ...rest] = words;
    // As a server says that does not know it: then it comes whole.
    if (name === 'EVALSHA') throw new Error('NOSCRIPT No matching script.');
    return client.sendCommand(name === 'EVAL' ? [name, change(script), ...rest] : words);
  };
  return Object.assign(Object.create(client), { sendCommand });
}

/** Writes whatever the session's version is by now. */
export function withoutVersion(script: string): string {
  return script.replace("kind == 'version' then", "kind == 'version' and b ~= '' then elseif $&");
}

/** Writes whatever id a turn or an operation has. */
export function withoutIds(script: string): string {
  return script
    .replace("'HSETNX', key, a, b) == 0", "'HSET', key, a, b) < 0")
    .replace("kind == 'absent' then", "kind == 'absent' and false then");
}
