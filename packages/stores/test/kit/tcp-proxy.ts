import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What a proxy does to what passes through it. */
export type ProxyMode =
  /** Lets all through. */
  | 'pass'
  /**
   * Says nothing and swallows all, as a machine does that is gone from the network. A connection that it swallowed
   * something of stays silent for ever.
   */
  | 'silent'
  /** Lets all through, each piece after `delayMs`. */
  | 'slow'
  /** Refuses new connections, and breaks those that are there. */
  | 'cut';

/** Stands between a client and a server, and disturbs them when a test says so. */
export class TcpProxy {
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #target: { readonly host: string; readonly port: number };
  #mode: ProxyMode = 'pass';
  /** How long a piece is held back in mode `slow`. */
  delayMs = 50;
  /** Asked for each piece that the server answers: whether to break the connection in place of it. */
  cutsAnswer: () => boolean = () => false;
  /** What is let through in place of a piece that the server answers. */
  changesAnswer: (data: Buffer) => Buffer = (data) => data;
  /** Connections that were accepted so far. */
  accepted = 0;

  private constructor(port: number, host: string) {
    this.#target = { host, port };
  }

  static async start(port: number, host = '127.0.0.1'): Promise<TcpProxy> {
    const proxy = new TcpProxy(port, host);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  set mode(mode: ProxyMode) {
    this.#mode = mode;
    if (mode === 'cut') this.#breakAll();
  }

  #breakAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  #accept(client: Socket): void {
    client.on('error', () => {});
    if (this.#mode === 'cut') {
      client.destroy();
      return;
    }
    this.accepted += 1;
    const server = connect(this.#target);
    const pair = [client, server] as const;
    let isSilent = false;
    const pass = (data: Buffer, to: Socket): void => {
      isSilent ||= this.#mode === 'silent';
      if (!isSilent) this.#pass(data, to);
    };
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', end);
      // A silent machine does not say that it is gone either.
      socket.on('close', () => this.#mode !== 'silent' && !isSilent && end());
    }
    client.on('data', (data) => pass(data, server));
    server.on('data', (data) => {
      if (this.#mode !== 'silent' && !isSilent && this.cutsAnswer()) end();
      else pass(this.changesAnswer(data), client);
    });
  }

  #pass(data: Buffer, to: Socket): void {
    if (this.#mode === 'slow') setTimeout(() => to.write(data), this.delayMs);
    else to.write(data);
  }

  async stop(): Promise<void> {
    this.#breakAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
