import type { NodeClient } from './node-client.ts';

/** A master of a cluster, as a move has to know it. */
export interface SlotPlace {
  readonly id: string;
  readonly port: number;
  readonly client: NodeClient;
}

/** Keys that go at a time, as `redis-cli` has it. */
const keysAtOnce = 10;
const migrateMs = 60_000;

/**
 * A slot on its way from one master of a cluster to another, in the steps of `redis-cli --cluster reshard`: between
 * them some of its keys are here and some there.
 */
export class SlotMove {
  readonly slot: number;
  readonly #from: SlotPlace;
  readonly #to: SlotPlace;
  readonly #others: readonly SlotPlace[];

  private constructor(slot: number, from: SlotPlace, to: SlotPlace, others: readonly SlotPlace[]) {
    this.slot = slot;
    this.#from = from;
    this.#to = to;
    this.#others = others;
  }

  /** @param others the other masters, which are told in the end */
  static async begin(
    slot: number,
    from: SlotPlace,
    to: SlotPlace,
    others: readonly SlotPlace[],
  ): Promise<SlotMove> {
    await to.client.ask(['CLUSTER', 'SETSLOT', `${slot}`, 'IMPORTING', from.id]);
    await from.client.ask(['CLUSTER', 'SETSLOT', `${slot}`, 'MIGRATING', to.id]);
    return new SlotMove(slot, from, to, others);
  }

  /** Keys that are still where they were, `limit` at most. */
  async keys(limit = 10_000): Promise<readonly string[]> {
    const ask = ['CLUSTER', 'GETKEYSINSLOT', `${this.slot}`, `${limit}`];
    const [text = ''] = await this.#from.client.ask(ask);
    return text.split('\n').filter(Boolean);
  }

  /** @throws if one of them is there already */
  async move(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const where = ['127.0.0.1', `${this.#to.port}`, '', '0', `${migrateMs}`];
    await this.#from.client.ask(['MIGRATE', ...where, 'KEYS', ...keys]);
  }

  /** Moves what is left, and gives the slot away. */
  async end(): Promise<void> {
    for (let keys = await this.keys(keysAtOnce); keys.length > 0; ) {
      await this.move(keys);
      keys = await this.keys(keysAtOnce);
    }
    for (const { client } of [this.#to, this.#from, ...this.#others]) {
      try {
        await client.ask(['CLUSTER', 'SETSLOT', `${this.slot}`, 'NODE', this.#to.id]);
      } catch (error) {
        // A master that gave its last slot away follows the one that has it now.
        if (client === this.#to.client || !/only with masters/.test(String(error))) throw error;
      }
    }
  }
}
