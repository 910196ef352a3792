import { existsSync } from 'node:fs';
import { runCommand } from './run-command.ts';

const aptGet = '/usr/bin/apt-get';

interface AptPackage {
  readonly name: string;
  /** A pattern of paths: where one is there, nothing is left to do. */
  readonly program: string;
  /** A file that is there only during the installation, and what is in it. */
  readonly during?: { readonly path: string; readonly content: string };
}

// The lists of packages may be old, or not there at all, as in an image of a container.
const script = `
set -e
name=$1 program=$2 path=$3 content=$4
for found in $program; do [ ! -e "$found" ] || exit 0; done
export DEBIAN_FRONTEND=noninteractive
made=
trap 'rm -f $made' EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e /usr/sbin/policy-rc.d ]; then
  made="$made /usr/sbin/policy-rc.d"
  printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
fi
if [ -n "$path" ] && [ ! -e "$path" ]; then
  made="$made $path"
  mkdir -p "$(dirname "$path")"
  printf '%s\\n' "$content" > "$path"
fi
install() { apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$name"; }
install || { apt-get update || true; install; }
`;

/**
 * As root on Debian, installs one of its packages, and starts none of its services. Who ask at once take turns.
 *
 * @returns whether this is such a machine
 * @throws with what apt-get complained of
 */
export async function aptInstall({ during, name, program }: AptPackage): Promise<boolean> {
  if (process.getuid?.() !== 0 || !existsSync(aptGet)) return false;
  const words = [name, program, during?.path ?? '', during?.content ?? ''];
  await runCommand('flock', [aptGet, '/bin/sh', '-c', script, 'apt-install', ...words]);
  return true;
}
