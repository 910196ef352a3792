import { type ProxyMode, TcpProxy } from './tcp-proxy.ts';

/** A proxy before each master of a Redis Cluster: whoever asks one of them for the others is told of their proxies. */
export class ClusterProxy {
  readonly #proxies: readonly TcpProxy[];

  private constructor(proxies: readonly TcpProxy[]) {
    this.#proxies = proxies;
  }

  static async start(ports: readonly number[], host: string): Promise<ClusterProxy> {
    const proxies = await Promise.all(ports.map((port) => TcpProxy.start(port, host)));
    const proxyOf = new Map(ports.map((port, i) => [`${port}`, `${proxies[i]?.port}`]));
    // As an answer names a node, and as an error does that sends to another one.
    const address = new RegExp(`(?<=${host.replaceAll('.', '[.]')}(?:\\r\\n)?:)\\d+`, 'g');
    const rename = (data: Buffer): Buffer => {
      if (!data.includes(host)) return data;
      const told = data.toString('latin1').replace(address, (port) => proxyOf.get(port) ?? port);
      return Buffer.from(told, 'latin1');
    };
    for (const proxy of proxies) proxy.changesAnswer = rename;
    return new ClusterProxy(proxies);
  }

  /** Of the first master. */
  get port(): number {
    return this.#proxies[0]?.port ?? 0;
  }

  set mode(mode: ProxyMode) {
    for (const proxy of this.#proxies) proxy.mode = mode;
  }

  set delayMs(delayMs: number) {
    for (const proxy of this.#proxies) proxy.delayMs = delayMs;
  }

  set cutsAnswer(cutsAnswer: () => boolean) {
    for (const proxy of this.#proxies) proxy.cutsAnswer = cutsAnswer;
  }

  get accepted(): number {
    return this.#proxies.reduce((sum, { accepted }) => sum + accepted, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
  }
}
