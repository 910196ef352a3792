import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';

/** What the numbers were measured on. */
export interface Machine {
  readonly date: string;
  readonly node: string;
  readonly sqlite: string;
  readonly os: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly fileSystem: string;
  /** The median of writing 4 KiB and waiting until they are on the disk. */
  readonly fsyncMicroseconds: number;
}

const fileSystems: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x01021994, 'tmpfs'],
  [0x9123683e, 'btrfs'],
  [0x58465342, 'xfs'],
  [0x794c7630, 'overlayfs'],
]);

export function describeMachine(directory: string): Machine {
  const type = statfsSync(directory).type;
  return {
    date: new Date().toISOString(),
    node: process.versions.node,
    sqlite: process.versions.sqlite ?? 'unknown',
    os: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    fileSystem: fileSystems.get(type) ?? `type 0x${type.toString(16)}`,
    fsyncMicroseconds: Math.round(fsyncTime(join(directory, 'fsync'))),
  };
}

function fsyncTime(path: string): number {
  const file = openSync(path, 'w');
  const page = Buffer.alloc(4_096);
  const times: number[] = [];
  for (let i = 0; i < 101; i++) {
    const start = performance.now();
    writeSync(file, page);
    fsyncSync(file);
    times.push((performance.now() - start) * 1000);
  }
  closeSync(file);
  rmSync(path);
  return times.sort((a, b) => a - b)[50] as number;
}
