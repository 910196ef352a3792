import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterView, slotCount, viewOf } from './cluster-view.ts';
import { NodeClient } from './node-client.ts';
import { RedisServer } from './redis-server.ts';
import { endServer, type ServerHandle } from './server-handle.ts';
import { SlotMove, type SlotPlace } from './slot-move.ts';

export interface RedisClusterOptions {
  /** Settings of each node, as in redis.conf. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** After how long a node that does not answer is taken for dead; 2,000 by default. */
  readonly nodeTimeoutMs?: number;
}

const masterCount = 3;
const nodeCount = 6;
const pauseMs = 50;
const settleMs = 60_000;

/**
 * A Redis Cluster of one's own: three masters and a replica of each, every one a process of its own, on free ports of
 * the loopback address. It knows the processes that it started, and touches no others.
 */
export class RedisCluster {
  readonly #folder: string;
  readonly #settings: Readonly<Record<string, string | number>>;
  readonly #clients: Map<RedisServer, NodeClient>;
  readonly #ids = new Map<RedisServer, string>();

  private constructor(
    folder: string,
    settings: Readonly<Record<string, string | number>>,
    nodes: readonly RedisServer[],
  ) {
    this.#folder = folder;
    this.#settings = settings;
    this.#clients = new Map(nodes.map((node) => [node, new NodeClient(node)]));
  }

  get nodes(): readonly RedisServer[] {
    return [...this.#clients.keys()];
  }

  /**
   * Starts the nodes, and resolves once the cluster is settled.
   *
   * @throws if there is no Redis to be had, or if it does not start
   */
  static async start(options: RedisClusterOptions = {}): Promise<RedisCluster> {
    const settings = {
      'cluster-enabled': 'yes',
      'cluster-node-timeout': options.nodeTimeoutMs ?? 2_000,
      // A replica that comes back is sent the data at once; without it, no failover while it waits.
      'repl-diskless-sync-delay': 0,
      ...options.settings,
    };
    const folder = await mkdtemp(join(tmpdir(), 'lexigram-redis-cluster-'));
    const started = await Promise.allSettled(
      Array.from({ length: nodeCount }, () => RedisServer.start({ settings, within: folder })),
    );
    const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const cluster = new RedisCluster(folder, settings, nodes);
    try {
      for (const one of started) if (one.status === 'rejected') throw one.reason;
      await cluster.#form();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** The URLs of all nodes. */
  get urls(): readonly string[] {
    return this.nodes.map(({ url }) => url);
  }

  get handle(): ServerHandle {
    const pids = this.nodes.flatMap(({ handle }) => handle.pids);
    return { pids, folder: this.#folder, endSignal: 'SIGKILL' };
  }

  async #form(): Promise<void> {
    const clients = [...this.#clients];
    const slots = Array.from({ length: slotCount }, (_, slot) => `${slot}`);
    const share = Math.ceil(slotCount / masterCount);
    for (const [n, [node, client]] of clients.entries()) {
      const epoch = ['CLUSTER', 'SET-CONFIG-EPOCH', `${n + 1}`];
      const [id = ''] = await client.ask(['CLUSTER', 'MYID'], epoch);
      this.#ids.set(node, id);
      const own = slots.slice(n * share, (n + 1) * share);
      if (n < masterCount) await client.ask(['CLUSTER', 'ADDSLOTS', ...own]);
    }
    for (const [n, [, client]] of clients.entries()) {
      const others = this.nodes.slice(n + 1);
      await client.ask(...others.map(({ port }) => ['CLUSTER', 'MEET', '127.0.0.1', `${port}`]));
    }
    // A node that was met goes by a passing id until both have spoken.
    const ids = [...this.#ids.values()];
    await this.#until('know each other', (views) =>
      ids
        .filter((id) => views.some(({ topology }) => !topology.includes(id)))
        .map((id) => `${id} is not known to all`),
    );
    for (const [n, [, client]] of clients.slice(masterCount).entries()) {
      await client.ask(['CLUSTER', 'REPLICATE', ids[n] ?? '']);
    }
    await this.settled();
  }

  /**
   * Resolves once every node is up, every slot is served, every replica has its master's data, and all agree on who is
   * master of what.
   *
   * @throws if that does not come to be within a minute, with what is missing
   */
  settled(): Promise<void> {
    return this.#until('are settled', (views) => {
      const topologies = new Set(views.map(({ topology }) => topology)).size;
      const faults = views.flatMap((view) => view.faults);
      return topologies > 1 ? [...faults, `nodes see it in ${topologies} ways`] : faults;
    });
  }

  /**
   * The node that now serves a key, or a slot. While a failover is under way, there may be none.
   *
   * @throws if there is none
   */
  async masterOf(key: string | number): Promise<RedisServer> {
    const slot = typeof key === 'number' ? key : await this.#slotOf(key);
    const serving = [...(await this.#views())]
      .filter(([, view]) => view.slots.some(([first, last]) => first <= slot && slot <= last))
      // A master that was overtaken may not know it yet.
      .sort(([, a], [, b]) => b.epoch - a.epoch);
    if (serving[0] === undefined) throw new Error(`No node serves slot ${slot} now`);
    return serving[0][0];
  }

  /** The nodes that now say that they are replicas of another one. */
  async replicasOf(node: RedisServer): Promise<readonly RedisServer[]> {
    const { id } = this.#placeOf(node);
    const views = [...(await this.#views())];
    return views.filter(([, { masterId }]) => masterId === id).map(([replica]) => replica);
  }

  /** Adds a master that serves no slot yet. */
  async addNode(): Promise<RedisServer> {
    const where = { settings: this.#settings, within: this.#folder };
    const node = await RedisServer.start(where);
    const client = new NodeClient(node);
    const [known] = this.nodes;
    const meet = ['CLUSTER', 'MEET', '127.0.0.1', `${known?.port}`];
    const [id = ''] = await client.ask(['CLUSTER', 'MYID'], meet);
    this.#clients.set(node, client);
    this.#ids.set(node, id);
    await this.settled();
    return node;
  }

  /** Ends a node that serves no slot, and makes the others forget it. */
  async removeNode(node: RedisServer): Promise<void> {
    const { client, id } = this.#placeOf(node);
    this.#clients.delete(node);
    const others = [...this.#clients.values()];
    await Promise.all(others.map((other) => other.ask(['CLUSTER', 'FORGET', id])));
    client.close();
    await node.stop();
    await this.settled();
  }

  /** Begins to move a slot, or that of a key, to another master. */
  async beginMove(what: string | number, to: RedisServer): Promise<SlotMove> {
    const slot = typeof what === 'number' ? what : await this.#slotOf(what);
    const from = await this.masterOf(slot);
    const others: SlotPlace[] = [];
    for (const [node, view] of await this.#views()) {
      if (view.masterId === null && node !== from && node !== to) others.push(this.#placeOf(node));
    }
    return SlotMove.begin(slot, this.#placeOf(from), this.#placeOf(to), others);
  }

  /** The slots that a node serves now. */
  async slotsOf(node: RedisServer): Promise<readonly number[]> {
    const ranges = (await this.#views()).get(node)?.slots ?? [];
    return ranges.flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, i) => first + i),
    );
  }

  #placeOf(node: RedisServer): SlotPlace {
    const [client, id] = [this.#clients.get(node), this.#ids.get(node)];
    if (client === undefined || id === undefined) {
      throw new Error(`The server on port ${node.port} is not of this cluster`);
    }
    return { client, id, port: node.port };
  }

  /** Ends all nodes and removes their folders. */
  async stop(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    await endServer(this.handle);
  }

  async #slotOf(key: string): Promise<number> {
    const slots = [...this.#clients.values()].map((it) => it.ask(['CLUSTER', 'KEYSLOT', key]));
    return Number((await Promise.any(slots))[0]);
  }

  /** What each node says that answers. */
  async #views(): Promise<ReadonlyMap<RedisServer, ClusterView>> {
    const views = new Map<RedisServer, ClusterView>();
    const look = async ([node, client]: readonly [RedisServer, NodeClient]): Promise<void> => {
      try {
        const [nodes = '', info = '', replication = ''] = await client.ask(
          ['CLUSTER', 'NODES'],
          ['CLUSTER', 'INFO'],
          ['INFO', 'replication'],
        );
        views.set(node, viewOf(nodes, info, replication));
      } catch {
        // It does not answer.
      }
    };
    await Promise.all([...this.#clients].map(look));
    return views;
  }

  async #until(
    what: string,
    missing: (views: readonly ClusterView[]) => readonly string[],
  ): Promise<void> {
    const deadline = performance.now() + settleMs;
    for (;;) {
      const views = await this.#views();
      const silent = this.nodes.filter((node) => !views.has(node));
      const faults = [
        ...silent.map(({ port }) => `the node on port ${port} does not answer`),
        ...missing([...views.values()]),
      ];
      if (faults.length === 0) return;
      if (performance.now() > deadline) {
        throw new Error(`Nodes of the cluster never ${what}: ${[...new Set(faults)].join('; ')}`);
      }
      await sleep(pauseMs);
    }
  }
}
