import { type Figure, type Group, goalText, reached, short } from './figure.ts';
import type { Machine } from './machine.ts';

export function printMachine(machine: Machine): void {
  const { cores, cpu, date, fileSystem, fsyncMicroseconds, memoryGiB, node, os, sqlite } = machine;
  console.log(`${date}  Node ${node}, SQLite ${sqlite}, ${os}`);
  console.log(
    `${cores} × ${cpu}, ${memoryGiB} GiB, ${fileSystem}; writing 4 KiB to the disk takes ${fsyncMicroseconds} µs`,
  );
}

export function printGroup(
  group: Pick<Group, 'name' | 'about' | 'durability'>,
  figures: readonly Figure[],
  seconds: number,
): void {
  console.log(`\n${group.name}: ${group.about}\n  ${group.durability} (${seconds} s)`);
  const rows = figures.map((figure) => [
    mark(figure),
    figure.name,
    `${short(figure.value)} ${figure.unit}`,
    goalText(figure.goal),
    figure.detail,
  ]);
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  );
  for (const row of rows) {
    console.log(`  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`);
  }
}

export function printTotal(figures: readonly Figure[]): void {
  const judged = figures.filter(({ goal }) => goal !== undefined);
  const missed = judged.filter((figure) => reached(figure) === false);
  console.log(`\n${judged.length - missed.length} of ${judged.length} figures reached.`);
}

function mark(figure: Figure): string {
  const good = reached(figure);
  return good === null ? '   ' : good ? 'yes' : 'NO ';
}
