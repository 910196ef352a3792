import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Figure, type Group, reached } from './figure.ts';
import { appendFull, appendNormal } from './groups/append.ts';
import { branches, forks, segments } from './groups/branches.ts';
import { bytes } from './groups/bytes.ts';
import { groupCommit } from './groups/group-commit.ts';
import { groupStep } from './groups/group-step.ts';
import { length } from './groups/length.ts';
import { lineage } from './groups/lineage.ts';
import { memory } from './groups/memory.ts';
import { peersMemory, peersSqlite } from './groups/peers.ts';
import { peersPostgres, postgres, postgresBytes, postgresLength } from './groups/postgres.ts';
import { processes } from './groups/processes.ts';
import { projectionRecall } from './groups/projection-recall.ts';
import { projectionSpeed } from './groups/projection-speed.ts';
import { races } from './groups/races.ts';
import { redisAppend, redisBytes, redisLength } from './groups/redis.ts';
import { report, spending } from './groups/report.ts';
import { scalePartitions, scalePostgres, scaleRedis, scaleSqlite } from './groups/scale.ts';
import { web } from './groups/web.ts';
import { describeMachine } from './machine.ts';
import { printGroup, printMachine, printTotal } from './print.ts';

// npm run bench -- [group …] [--quick] [--json <file>]: measures and reports; it judges nothing by its exit code.
const groups: readonly Group[] = [
  appendFull,
  appendNormal,
  groupCommit,
  length,
  groupStep,
  lineage,
  branches,
  forks,
  segments,
  bytes,
  memory,
  processes,
  projectionRecall,
  projectionSpeed,
  postgres,
  postgresLength,
  postgresBytes,
  peersPostgres,
  redisAppend,
  redisLength,
  redisBytes,
  report,
  spending,
  web,
  peersSqlite,
  peersMemory,
  races,
  scaleSqlite,
  scalePostgres,
  scalePartitions,
  scaleRedis,
];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const chosen = groups.filter(
  ({ name }) => positionals.length === 0 || positionals.some((part) => name.startsWith(part)),
);
if (chosen.length === 0) {
  console.error(`No such group. There are: ${groups.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const root = mkdtempSync(join(tmpdir(), 'lexigram-bench-'));
try {
  const machine = describeMachine(root);
  printMachine(machine);
  const results: (Omit<Group, 'measure'> & { seconds: number; figures: readonly Figure[] })[] = [];
  for (const { measure, ...group } of chosen) {
    const directory = join(root, group.name);
    mkdirSync(directory);
    const start = performance.now();
    const figures = await measure({ directory, quick: values.quick });
    const seconds = Math.round((performance.now() - start) / 100) / 10;
    rmSync(directory, { recursive: true, force: true });
    printGroup(group, figures, seconds);
    results.push({ ...group, seconds, figures });
  }
  printTotal(results.flatMap(({ figures }) => figures));
  const path = resolve(values.json ?? join(import.meta.dirname, '..', 'results', 'latest.json'));
  mkdirSync(dirname(path), { recursive: true });
  const json = results.map(({ figures, ...group }) => ({
    ...group,
    figures: figures.map((figure) => ({ ...figure, reached: reached(figure) })),
  }));
  writeFileSync(
    path,
    `${JSON.stringify({ machine, quick: values.quick, groups: json }, null, 2)}\n`,
  );
} finally {
  rmSync(root, { recursive: true, force: true });
}
