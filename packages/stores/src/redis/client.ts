import { createHash } from 'node:crypto';
import { SessionStoreUnavailableError, SessionUnsupportedError } from '@lexigram/ai-session';
import { isPassing, NoAnswer } from './faults.ts';
import type { RedisSettings } from './options.ts';

/** What we use of a client of the package `redis`. */
export interface RedisClient {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  sendCommand(words: string[]): Promise<unknown>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  close(): Promise<unknown>;
  destroy(): void;
}

/** A program in the server, its keys, and its other words. */
interface ScriptCall {
  readonly script: string;
  readonly keys: readonly string[];
  readonly words: readonly string[];
}

/** Runs a command or a script. @param until when it is given up, on `performance.now()` */
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
  client: RedisClient,
  silentMs: number = Number.POSITIVE_INFINITY,
): RunRedis {
  /** When the first call was sent that nothing has been answered since. */
  let silentSince = Number.POSITIVE_INFINITY;
  const send = async (words: string[], until: number): Promise<unknown> => {
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
      return await Promise.race([client.sendCommand(words), late]);
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
    if (!('script' in command)) return send(command.map(String), until);
    const { keys, script, words } = command;
    const rest = [String(keys.length), ...keys, ...words];
    try {
      return await send(['EVALSHA', digestOf(script), ...rest], until);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return send(['EVAL', script, ...rest], until);
    }
  };
}

/** The time-out of its socket does not help: each call that is written begins it anew. */
function connectAnew(client: RedisClient): void {
  client.destroy();
  // It tries again and again by itself.
  client.connect().catch(() => {});
}

/** Longer than what a server that starts needs for a look around. */
const pauseMs = 20;

/** The same for what only reads: asked again if the connection was lost meanwhile or the server is not up yet. */
export function repeating(run: RunRedis): RunRedis {
  return async (command, until) => {
    for (;;) {
      try {
        return await run(command, until);
      } catch (error) {
        if (!isPassing(error) || performance.now() + pauseMs >= until) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  };
}

/** Waits for a lost connection to come back: nothing was sent yet. */
async function ready(client: RedisClient, until: number): Promise<void> {
  while (!client.isReady) {
    if (!client.isOpen || performance.now() >= until) {
      throw notThere('there is no connection to Redis');
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function notThere(message: string): SessionStoreUnavailableError {
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

interface RedisModule {
  createClient(options: Readonly<Record<string, unknown>>): RedisClient;
}

/**
 * A client of `redis` for a URL, connected.
 *
 * @throws SessionUnsupportedError if the package is not installed; SessionStoreUnavailableError
 */
export async function connect(url: string, settings: RedisSettings): Promise<RedisClient> {
  const { createClient } = await importRedis();
  const client = createClient({
    url,
    disableOfflineQueue: true,
    pingInterval: settings.callTimeoutMs,
    socket: {
      connectTimeout: settings.connectTimeoutMs,
      // A connection that fell silent is made anew: a ping would have been answered since.
      socketTimeout: settings.callTimeoutMs * 2,
      reconnectStrategy: (tries: number) => Math.min(500, 20 * 2 ** Math.min(tries, 5)),
    },
  });
  // A connection that is lost is made again; calls meanwhile say that there is none.
  client.on('error', () => {});
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = (): void => reject(notThere('Redis cannot be reached'));
    timer = setTimeout(fail, settings.connectTimeoutMs);
  });
  try {
    await Promise.race([client.connect(), late]);
    return client;
  } catch (error) {
    client.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function importRedis(): Promise<RedisModule> {
  try {
    return (await import('redis')) as unknown as RedisModule;
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new SessionUnsupportedError(
      'The Redis store needs the package redis; install it with: npm install redis',
      { cause },
    );
  }
}
