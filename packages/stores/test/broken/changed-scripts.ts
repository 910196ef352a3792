import { type AnyRedisClient, sendingThrough } from '../kit/sending-through.ts';

/** A client whose scripts are changed on their way: a store that lacks something that a test says it needs. */
export function changingScripts<C extends AnyRedisClient>(
  client: C,
  change: (script: string) => string,
): C {
  return sendingThrough(client, async (words, send) => {
    const [name, script = '', ...rest] = words;
    // As a server says that does not know it: then it comes whole.
    if (name === 'EVALSHA') throw new Error('NOSCRIPT No matching script.');
    return send(name === 'EVAL' ? [name, change(script), ...rest] : words);
  });
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
