import { createHash } from 'node:crypto';
import { SessionStoreUnavailableError } from '@lexigram/ai-session';
import { isMoving, isPassing, NoAnswer } from './faults.ts';

/** What clients of one server and of a cluster have in common. */
interface AnyClient {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  close(): Promise<unknown>;
  destroy(): void;
}

/** What hears messages. */
export interface Subscriber extends AnyClient {
  subscribe(channel: string, listener: () => void): Promise<unknown>;
  unsubscribe(channel: string, listener: () => void): Promise<unknown>;
}

/** What we use of a client of the package `redis`. */
export interface RedisClient extends Subscriber {
  duplicate(): RedisClient;
  sendCommand(words: string[]): Promise<unknown>;
}

/** What we use of a cluster's client of the package `redis`. */
export interface RedisClusterClient extends Subscriber {
  readonly masters: readonly unknown[];
  nodeClient(node: never): Promise<unknown>;
  sendCommand(key: string | undefined, isReadonly: boolean, words: string[]): Promise<unknown>;
}

export function isCluster(client: RedisClient | RedisClusterClient): client is RedisClusterClient {
  return 'nodeClient' in client;
}

/** A program in the server, its keys, and its other words. */
interface ScriptCall {
  readonly script: string;
  readonly keys: readonly string[];
  readonly words: readonly string[];
}

/** Runs a command or a script. In a cluster its first key says where. @param until when it is given up, on `performance.now()` */
export type RunRedis = (
  command: ScriptCall | readonly (string | number)[],
  until: number,
) => Promise<unknown>;

/**
 * Calls with a time-out; scripts by their digest, sent whole where the server does not know them.
 *
 * @param silentMs of a client of our own: without any answer for so long, its connection is made anew
 */
export function runnerOf(
  client: RedisClient | RedisClusterClient,
  silentMs: number = Number.POSITIVE_INFINITY,
): RunRedis {
  const call = isCluster(client)
    ? (key: string | undefined, words: string[]) => client.sendCommand(key, false, words)
    : (_: string | undefined, words: string[]) => client.sendCommand(words);
  /** When the first call was sent that nothing has been answered since. */
  let silentSince = Number.POSITIVE_INFINITY;
  const send = async (
    key: string | undefined,
    words: string[],
    until: number,
  ): Promise<unknown> => {
    if (!client.isReady) await ready(client, until);
    const left = until - performance.now();
    if (left <= 0) throw notThere('no time was left to ask Redis');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new NoAnswer('Redis did not answer in time')), left);
    });
    silentSince = Math.min(silentSince, performance.now());
    let isAnswered = true;
    try {
      return await Promise.race([call(key, words), late]);
    } catch (error) {
      isAnswered = !(error instanceof NoAnswer);
      throw error;
    } finally {
      clearTimeout(timer);
      const isSilent = performance.now() - silentSince >= silentMs;
      if (isAnswered || isSilent) silentSince = Number.POSITIVE_INFINITY;
      if (!isAnswered && isSilent && client.isOpen) connectAnew(client);
    }
  };
  return async (command, until) => {
    if (!('script' in command)) {
      const words = command.map(String);
      return send(words[0] === 'XINFO' ? words[2] : words[1], words, until);
    }
    const { keys, script, words } = command;
    const named = isCluster(client) ? [...keys, neverThere(keys)] : keys;
    const rest = [String(named.length), ...named, ...words];
    try {
      return await send(keys[0], ['EVALSHA', digestOf(script), ...rest], until);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return send(keys[0], ['EVAL', script, ...rest], until);
    }
  };
}

/**
 * A key that no slot has. A server refuses what names several keys while one is missing and their slot is on its way to
 * another server: so a script runs where all is that it may touch, or not at all.
 */
function neverThere([key = '']: readonly string[]): string {
  return `${key}?`;
}

/** The time-out of its socket does not help: each call that is written begins it anew. */
function connectAnew(client: AnyClient): void {
  client.destroy();
  // It tries again and again by itself.
  client.connect().catch(() => {});
}

/** Longer than what a server that starts needs for a look around. */
const pauseMs = 20;

/** The same for what only reads: asked again if the connection was lost meanwhile or the server is not up yet. */
export function repeating(run: RunRedis): RunRedis {
  return repeatingIf(isPassing, run);
}

/** The same for everything, where it was refused because a slot of the cluster is on its way to another node. */
export function waitingForSlots(run: RunRedis): RunRedis {
  return repeatingIf(isMoving, run);
}

function repeatingIf(isWorthIt: (error: unknown) => boolean, run: RunRedis): RunRedis {
  return async (command, until) => {
    for (;;) {
      try {
        return await run(command, until);
      } catch (error) {
        if (!isWorthIt(error) || performance.now() + pauseMs >= until) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  };
}

/** Waits for a lost connection to come back: nothing was sent yet. */
async function ready(client: AnyClient, until: number): Promise<void> {
  while (!client.isReady) {
    if (!client.isOpen || performance.now() >= until) {
      throw notThere('there is no connection to Redis');
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** When half of the time that is left now will have passed: work that has no end by itself stops there. */
export function halfway(until: number): number {
  return (performance.now() + until) / 2;
}

export function notThere(message: string): SessionStoreUnavailableError {
  return new SessionStoreUnavailableError('unreachable', message);
}

const digests = new Map<string, string>();

function digestOf(script: string): string {
  let digest = digests.get(script);
  if (digest === undefined) {
    digest = createHash('sha1').update(script).digest('hex');
    digests.set(script, digest);
  }
  return digest;
}
