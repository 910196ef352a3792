import { createSessions, type SessionManager, type SessionState } from '@lexigram/ai-session';
import { RedisCluster } from '@lexigram/ai-session-servers';
import { expect, it, onTestFinished } from 'vitest';
import { clientOf, storeAt } from '../kit/redis-of-test.ts';
import { countOf, isFull } from '../scale.ts';

const nodeTimeoutMs = 2_000;
const config = { maxTurnsPerSession: 1_000_000, maxSessionsPerUser: 1_000, sessionTtl: 0 } as const;

async function startCluster(): Promise<RedisCluster> {
  const settings = { appendonly: 'yes', appendfsync: 'everysec' };
  const cluster = await RedisCluster.start({ nodeTimeoutMs, settings });
  onTestFinished(() => cluster.stop());
  return cluster;
}

async function managerOf(cluster: RedisCluster): Promise<SessionManager> {
  const store = await storeAt(cluster.urls, { callTimeoutMs: 15_000 });
  const sessions = await createSessions(config, { store });
  onTestFinished(() => sessions.close());
  return sessions.manager;
}

/** What a history says against what was acknowledged of it. */
interface Findings {
  /** Acknowledged turns that are not there. */
  readonly lost: readonly string[];
  /** Whether seqs have a gap, or a turn is there twice. */
  readonly isBroken: boolean;
}

function check(
  turns: readonly { seq: number; turnId: string }[],
  told: readonly string[],
): Findings {
  const ids = turns.map(({ turnId }) => turnId);
  const there = new Set(ids);
  return {
    lost: told.filter((id) => !there.has(id)),
    isBroken: there.size !== ids.length || turns.some(({ seq }, i) => seq !== i + 1),
  };
}

it('a master that is killed or stopped leaves histories without a gap or a duplicate', async ({
  annotate,
}) => {
  const cluster = await startCluster();
  const manager = await managerOf(cluster);
  const told = new Map<string, string[]>();
  for (let n = 0; n < 12; n++) told.set((await manager.create({ userId: `u${n}` })).sessionId, []);
  let over = false;
  /** The longest that any session waited for an answer in this round. */
  let longest = 0;
  const writing = [...told].map(async ([sessionId, own]) => {
    let since = performance.now();
    for (let n = 1; !over; n++) {
      const turn = { turnId: `t${n}`, role: 'user', content: `${n}` } as const;
      for (let done = false; !done && !over; ) {
        try {
          await manager.addTurn(sessionId, turn);
          own.push(turn.turnId);
          done = true;
        } catch (error) {
          expect(error).toMatchObject({ name: 'SessionStoreUnavailableError' });
        }
      }
      longest = Math.max(longest, performance.now() - since);
      since = performance.now();
    }
  });
  // Others read all the time: a connection that they write to never looks idle.
  const reading = setInterval(() => {
    for (const id of told.keys()) void manager.getState(id).catch(() => {});
  }, 100);
  onTestFinished(() => clearInterval(reading));
  const outages: number[] = [];
  const rounds = countOf('clusterFaults');
  for (let round = 0; round < rounds; round++) {
    longest = 0;
    const [sessionId = ''] = [...told.keys()].slice(round % told.size);
    const master = await cluster.masterOf(`lex:{${sessionId}}:s`);
    const before = told.get(sessionId)?.length ?? 0;
    if (round % 2 === 0) await master.kill();
    else master.pause();
    // Somebody else is master of it, and its writer goes on.
    await expect
      .poll(
        async () => (await cluster.masterOf(`lex:{${sessionId}}:s`).catch(() => master)) !== master,
        {
          timeout: 60_000,
        },
      )
      .toBe(true);
    await expect
      .poll(() => told.get(sessionId)?.length ?? 0, { timeout: 60_000 })
      .toBeGreaterThan(before + 5);
    outages.push(Math.round(longest));
    if (round % 2 === 0) await master.restart();
    else master.resume();
    await cluster.settled();
  }
  over = true;
  clearInterval(reading);
  await Promise.all(writing);
  let lost = 0;
  for (const [sessionId, own] of told) {
    const { turns } = await manager.getState(sessionId, { turns: 'all' });
    const found = check(turns, own);
    expect(found.isBroken, sessionId).toBe(false);
    lost += found.lost.length;
    expect(own.length).toBeGreaterThan(rounds);
  }
  const acknowledged = [...told.values()].flat().length;
  await annotate(`${acknowledged} acknowledged, ${lost} lost; outages in ms: ${outages.join(' ')}`);
  // With room for a machine that does other things too.
  const slack = process.env['LEX_TEST_SCALE'] === undefined ? 20_000 : 5_000;
  for (const outage of outages) expect(outage).toBeLessThan(nodeTimeoutMs + slack);
});

it('what a failover lost is found, and whoever builds on it is told so', async () => {
  const cluster = await startCluster();
  const [writer, other] = [await managerOf(cluster), await managerOf(cluster)];
  const { sessionId } = await writer.create({ userId: 'u' });
  const told: string[] = [];
  let head: SessionState['head'] | undefined;
  const add = async (turnId: string): Promise<void> => {
    const added = await writer.addTurn(sessionId, { turnId, role: 'user', content: turnId });
    told.push(turnId);
    head = added.head;
  };
  for (const id of ['a', 'b', 'c']) await add(id);
  const key = `lex:{${sessionId}}:s`;
  const master = await cluster.masterOf(key);
  const [replica] = await cluster.replicasOf(master);
  // The replica has what was written so far, and misses what comes now.
  await new Promise((resolve) => setTimeout(resolve, 300));
  replica?.pause();
  await (await clientOf(master.url)).sendCommand(['CLIENT', 'KILL', 'TYPE', 'replica']);
  for (const id of ['d', 'e', 'f']) await add(id);
  await master.kill();
  replica?.resume();
  await expect
    .poll(async () => (await cluster.masterOf(key).catch(() => master)) !== master, {
      timeout: 60_000,
    })
    .toBe(true);
  const { turns } = await other.getState(sessionId, { turns: 'all' });
  expect(check(turns, told)).toEqual({ lost: ['d', 'e', 'f'], isBroken: false });
  // Others bring it to where it was, by count: nobody takes it for the same.
  for (const id of ['x', 'y', 'z']) {
    await other.addTurn(sessionId, { turnId: id, role: 'user', content: id });
  }
  const turn = { turnId: 'g', role: 'user', content: 'g' } as const;
  await expect(
    writer.addTurn(sessionId, turn, head === undefined ? {} : { expectedHead: head }),
  ).rejects.toMatchObject({
    name: 'SessionConflictError',
    reason: 'head',
  });
  const added = await writer.addTurn(sessionId, turn);
  expect(added.seq).toBe(7);
  const after = await other.getState(sessionId, { turns: 'all' });
  expect(check(after.turns, ['a', 'b', 'c', 'x', 'y', 'z', 'g'])).toEqual({
    lost: [],
    isBroken: false,
  });
  // The lost ones may be sent again.
  expect(
    await writer.addTurn(sessionId, { turnId: 'd', role: 'user', content: 'd' }),
  ).toMatchObject({
    duplicate: false,
    seq: 8,
  });
});

it.each(isFull ? [{ silent: false }, { silent: true }] : [{ silent: true }])(
  'a cluster of which all nodes are gone ($silent: first silent) is found again when they are back',
  async ({ silent }) => {
    const cluster = await startCluster();
    const store = await storeAt(cluster.urls, { callTimeoutMs: 4_000 });
    const { manager } = await createSessions(config, { store });
    const { sessionId } = await manager.create({ userId: 'u' });
    const add = (n: number) => {
      return manager.addTurn(sessionId, { turnId: `t${n}`, role: 'user', content: `${n}` });
    };
    await add(0);
    const unavailable = { name: 'SessionStoreUnavailableError' };
    if (silent) {
      for (const node of cluster.nodes) node.pause();
      await expect(add(1)).rejects.toMatchObject(unavailable);
    }
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    for (let n = 2; n <= 3; n++) await expect(add(n)).rejects.toMatchObject(unavailable);
    await Promise.all(cluster.nodes.map((node) => node.restart()));
    await cluster.settled();
    const again = () =>
      add(4).then(
        () => 'added',
        (error: Error) => error.name,
      );
    await expect.poll(again, { timeout: 30_000 }).toBe('added');
  },
);
