import type { RedisClusterType } from 'redis';

/** A cluster's client whose scripts name the first of their keys alone, which says where they run and no more. */
export function namingOneKey(client: RedisClusterType): RedisClusterType {
  const sendCommand = (key: string | undefined, isReadonly: boolean, words: string[]) => {
    const [name = '', script = '', count = '0', first = '', ...rest] = words;
    const isScript = name.startsWith('EVAL');
    const own = [name, script, '1', first, ...rest.slice(Number(count) - 1)];
    return client.sendCommand(key, isReadonly, isScript ? own : words);
  };
  return Object.assign(Object.create(client), { sendCommand });
}
