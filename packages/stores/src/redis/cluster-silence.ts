import { connectAnew, type RedisClient, type RedisClusterClient, type RunRedis } from './client.ts';

/** How long a call may wait before the masters are asked whether they are there, and how long they have to answer. */
const patienceMs = 1_000;
/** How often, at most, the map of the cluster is drawn anew. */
const pauseMs = 2_000;

/**
 * Calls to a cluster whose nodes may fall silent without closing a connection. While a call waits, the masters are
 * asked for a sign of life; if one gives none, the client looks anew at who is master of what. What was sent to it is
 * lost, and its callers find out what became of it.
 */
export function noticingSilence(run: RunRedis, client: RedisClusterClient): RunRedis {
  let looking = false;
  let last = Number.NEGATIVE_INFINITY;
  const look = async (): Promise<void> => {
    if (looking || !client.isOpen || performance.now() - last < pauseMs) return;
    looking = true;
    try {
      const alive = await Promise.all(client.masters.map((node) => isAlive(client, node)));
      if (!client.isOpen || !alive.includes(false)) return;
      last = performance.now();
      connectAnew(client);
    } finally {
      looking = false;
    }
  };
  return async (command, until) => {
    const timer = setInterval(() => void look(), patienceMs);
    timer.unref();
    try {
      return await run(command, until);
    } finally {
      clearInterval(timer);
    }
  };
}

async function isAlive(client: RedisClusterClient, node: unknown): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs);
  });
  const asked = client
    .nodeClient(node as never)
    .then((one) => (one as RedisClient).sendCommand(['PING']))
    .then(
      () => true,
      () => false,
    );
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
