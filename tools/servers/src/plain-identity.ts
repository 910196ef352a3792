import { type Identity, runCommand } from './run-command.ts';

/** Who runs a program that refuses to run as root: as root, some user who is not. @throws if there is none */
export async function plainIdentity(): Promise<Identity> {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    try {
      const uid = Number(await runCommand('id', ['-u', name]));
      const gid = Number(await runCommand('id', ['-g', name]));
      return { uid, gid };
    } catch {
      // The next one.
    }
  }
  throw new Error('It does not run as root, and there is no user postgres or nobody');
}
