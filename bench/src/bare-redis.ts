import { createClient, defineScript, type RedisClientType } from 'redis';

const add = defineScript({
  SCRIPT: `
    redis.call('RPUSH', KEYS[1], ARGV[1])
    redis.call('HSET', KEYS[2], 'at', ARGV[2])
    redis.call('HINCRBY', KEYS[2], 'tokens', ARGV[3])
    return redis.call('HINCRBY', KEYS[2], 'seq', 1)
  `,
  NUMBER_OF_KEYS: 2,
  parseCommand(parser, id: string, json: string, at: string, tokens: string) {
    parser.pushKey(`bare:{${id}}:t`);
    parser.pushKey(`bare:{${id}}:s`);
    parser.push(json, at, tokens);
  },
  transformReply: (seq: number) => seq,
});

type AddTurn = (id: string, json: string, at: string, tokens: string) => Promise<number>;

/** What Redis alone needs for a turn: one script that appends it to a list and counts in a hash. */
export class BareRedis {
  readonly client: RedisClientType;
  readonly #add: AddTurn;

  private constructor(client: RedisClientType, add: AddTurn) {
    this.client = client;
    this.#add = add;
  }

  static async open(url: string): Promise<BareRedis> {
    const client = createClient({ url, scripts: { add } });
    await client.connect();
    return new BareRedis(client as unknown as RedisClientType, (...words) => client.add(...words));
  }

  async addTurn(id: string, turn: unknown): Promise<void> {
    await this.#add(id, JSON.stringify(turn), String(Date.now()), '1340');
  }
}
