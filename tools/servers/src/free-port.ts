import { once } from 'node:events';
import { createServer } from 'node:net';

// Below what systems give to clients, so that no client takes it while its server is down.
const lowest = 10_000;
const count = 12_768;

const given = new Set<number>();

/**
 * A port of this machine that nobody listened on a moment ago.
 *
 * @param also another port that has to be free, so many above it
 */
export async function freePort(also = 0): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * count);
    if (given.has(port) || !(await isFree(port)) || !(await isFree(port + also))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}
