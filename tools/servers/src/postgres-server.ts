import { chownSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalServer, type Place, startInFolder } from './local-server.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts';
import { runCommand } from './run-command.ts';

export interface PostgresServerOptions {
  /** Settings of the server, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** A Postgres of one's own: a cluster whose only user may do everything. */
export class PostgresServer extends LocalServer {
  readonly #binaries: PostgresBinaries;

  private constructor(
    place: Place,
    binaries: PostgresBinaries,
    given: Readonly<Record<string, string | number>>,
  ) {
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: 300,
      ...given,
    };
    super(place, {
      name: 'Postgres',
      command: join(binaries.folder, 'postgres'),
      args: [
        '-D',
        join(place.folder, 'data'),
        '-p',
        String(place.port),
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      identity: binaries.identity,
      readyLine: 'database system is ready to accept connections',
      // What a killed server left may take a moment to go away.
      passing: /shared memory|lock file/,
      // Killed, it would leave its shared memory.
      endSignal: 'SIGQUIT',
    });
    this.#binaries = binaries;
  }

  /** @throws if there is no Postgres to be had, or if it does not start */
  static async start({ settings = {} }: PostgresServerOptions = {}): Promise<PostgresServer> {
    const binaries = await postgresBinaries();
    return startInFolder({ name: 'postgres' }, async (place) => {
      await initialize(place.folder, binaries);
      return new PostgresServer(place, binaries, settings);
    });
  }

  get url(): string {
    return `postgres://test@127.0.0.1:${this.port}/postgres`;
  }

  /** Runs one of the programs of Postgres, like `pg_dump`, to its end. @throws if it is not there or fails */
  async run(program: string, args: readonly string[]): Promise<string> {
    const path = join(this.#binaries.folder, program);
    return runCommand(path, ['-d', this.url, ...args], this.#binaries.identity);
  }

  protected override async processes(): Promise<readonly number[]> {
    const { pid } = this;
    return pid === 0 ? [] : [pid, ...(await childrenOf(pid))];
  }
}

async function initialize(
  folder: string,
  { folder: programs, identity }: PostgresBinaries,
): Promise<void> {
  const { gid, uid } = identity;
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  await runCommand(
    join(programs, 'initdb'),
    ['-D', join(folder, 'data'), '-U', 'test', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'],
    identity,
  );
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const file = `/proc/${pid}/task/${pid}/children`;
  const listed = existsSync(file)
    ? readFileSync(file, 'utf8')
    : // It ends with 1 where there are none.
      await runCommand('/bin/sh', ['-c', `pgrep -P ${pid} || [ $? = 1 ]`]);
  return listed.split(/\s/).filter(Boolean).map(Number);
}
