import { readFileSync } from 'node:fs';

/** How many transactions the write-ahead log of a database holds: https://sqlite.org/fileformat2.html#walformat */
export function commitsInLog(path: string): number {
  const log = readFileSync(`${path}-wal`);
  if (log.length < 32) return 0;
  const pageSize = log.readUInt32BE(8);
  const salts = log.subarray(16, 24);
  let commits = 0;
  for (let at = 32; at + 24 + pageSize <= log.length; at += 24 + pageSize) {
    // A frame with other salts is left over from before the log was begun anew.
    if (!log.subarray(at + 8, at + 16).equals(salts)) break;
    if (log.readUInt32BE(at + 4) > 0) commits += 1;
  }
  return commits;
}
