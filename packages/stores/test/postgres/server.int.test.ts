import { PostgresServer, postgresUrl } from '@lexigram/ai-session-servers';
import { Client } from 'pg';
import { expect, it, onTestFinished } from 'vitest';

async function connect(url: string): Promise<Client> {
  const client = new Client(url);
  client.on('error', () => {});
  await client.connect();
  return client;
}

it('a server is killed with all its processes, starts again with what was committed, and goes away', async () => {
  const server = await PostgresServer.start();
  onTestFinished(() => server.stop());
  const client = await connect(server.url);
  await client.query('CREATE TABLE kept (x integer)');
  await client.query('INSERT INTO kept VALUES (1)');
  const first = server.pid;
  await expect(server.restart()).rejects.toThrow('Postgres runs already');
  // Stopped, it does not see that it lost its parent: while it is there, no server starts in this folder.
  const { rows } = await client.query(
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'",
  );
  process.kill(rows[0].pid, 'SIGSTOP');
  const lost = new Promise((resolve) => client.once('end', resolve));
  await server.kill();
  await lost;
  await expect(connect(server.url)).rejects.toThrow('ECONNREFUSED');
  await server.restart();
  expect(server.pid).not.toBe(first);
  const again = await connect(server.url);
  expect((await again.query('SELECT x FROM kept')).rows).toEqual([{ x: 1 }]);
  await again.end();
});

it('all tests of a run share a server', async () => {
  const url = await postgresUrl();
  expect(await postgresUrl()).toBe(url);
  const client = await connect(url);
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  await client.end();
});
