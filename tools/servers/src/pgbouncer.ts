import { existsSync } from 'node:fs';
import { chown, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { aptInstall } from './apt-install.ts';
import { LocalServer, type Place, startInFolder } from './local-server.ts';
import { plainIdentity } from './plain-identity.ts';
import type { Identity } from './run-command.ts';

export interface PgBouncerOptions {
  /** The URL of the Postgres that it stands in front of. */
  readonly target: string;
  /** Settings of its own, as in pgbouncer.ini. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** A PgBouncer of one's own, in transaction mode. Whoever comes is let in, as the user that the target names. */
export class PgBouncer extends LocalServer {
  readonly #target: string;

  private constructor(place: Place, command: string, identity: Identity, target: string) {
    super(place, {
      name: 'PgBouncer',
      command,
      args: [configOf(place)],
      identity,
      readyLine: 'process up',
      endSignal: 'SIGKILL',
    });
    this.#target = target;
  }

  /** @throws if there is no PgBouncer to be had, or if it does not start */
  static async start({ settings = {}, target }: PgBouncerOptions): Promise<PgBouncer> {
    const command = await pgbouncerBinary();
    const identity = await plainIdentity();
    return startInFolder({ name: 'pgbouncer' }, async (place) => {
      const file = configOf(place);
      const { gid, uid } = identity;
      await writeFile(file, config(place, target, settings), { mode: 0o600 });
      if (uid !== undefined && gid !== undefined) {
        for (const path of [place.folder, file]) await chown(path, uid, gid);
      }
      return new PgBouncer(place, command, identity, target);
    });
  }

  /** The target's URL, through it. */
  get url(): string {
    return this.#to(new URL(this.#target).pathname);
  }

  /** Where it answers to SHOW and the like. */
  get adminUrl(): string {
    return this.#to('/pgbouncer');
  }

  #to(database: string): string {
    return `postgres://test@127.0.0.1:${this.port}${database}`;
  }
}

function configOf({ folder }: Place): string {
  return join(folder, 'pgbouncer.ini');
}

function config({ port }: Place, target: string, given: PgBouncerOptions['settings']): string {
  const { hostname, password, port: targetPort, username } = new URL(target);
  const quote = (text: string): string => `'${decodeURIComponent(text).replaceAll("'", "''")}'`;
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'any',
    admin_users: 'test',
    pool_mode: 'transaction',
    max_client_conn: 500,
    ...given,
  };
  return [
    '[databases]',
    `* = host=${hostname} port=${targetPort || 5432} user=${quote(username)}${password && ` password=${quote(password)}`}`,
    '[pgbouncer]',
    ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`),
    '',
  ].join('\n');
}

/** @throws if there is none to be had, with what can be done */
async function pgbouncerBinary(): Promise<string> {
  let failure = '';
  const there = installed();
  if (there !== null) return there;
  try {
    await aptInstall({ name: 'pgbouncer', program: '/usr/sbin/pgbouncer' });
  } catch (error) {
    failure = (error as Error).message;
  }
  const brought = installed();
  if (brought !== null) return brought;
  throw new Error(
    `These tests need PgBouncer and found none. Install it (apt-get install pgbouncer, brew install pgbouncer), or leave them out by name: npm test -- --without=pgbouncer\n${failure}`,
  );
}

function installed(): string | null {
  const folders = [
    '/usr/sbin',
    '/usr/bin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  const paths = folders.map((folder) => join(folder, 'pgbouncer'));
  return paths.find((path) => existsSync(path)) ?? null;
}
