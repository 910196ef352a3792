import { join } from 'node:path';
import { runScript } from '../child.ts';
import type { Written } from '../children/write-for.ts';
import type { Figure, Group, MeasureOptions } from '../figure.ts';
import { short } from '../figure.ts';

const count = 4;

/** Several processes that write into one file. */
export const processes: Group = {
  name: 'processes',
  about: `${count} processes write into one file for 10 s`,
  durability: 'SQLite, WAL, synchronous=FULL: a turn survives a power cut',
  async measure(options) {
    return [...(await measure(1, options)), ...(await measure(16, options))];
  },
};

async function measure(
  callers: number,
  { directory, quick }: MeasureOptions,
): Promise<readonly Figure[]> {
  const file = join(directory, `${callers}.db`);
  const forMs = quick ? 2_000 : 10_000;
  const from = Date.now() + 2_000;
  const reports = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      runScript<Written>('children/write-for.ts', [
        file,
        `user-${i}`,
        String(callers),
        String(from),
        String(forMs),
      ]),
    ),
  );
  const turns = reports.map((report) => report.turns);
  const errors = reports.flatMap((report) => report.errors);
  const still = reports.map((report) => report.stillMs);
  const name = callers === 1 ? '1 caller each' : `${callers} callers each`;
  return [
    {
      name: `errors, ${name}`,
      value: errors.length,
      unit: 'errors',
      goal: { atMost: 0 },
      detail: errors[0] ?? `${turns.join(' + ')} turns in ${forMs / 1000} s`,
    },
    {
      name: `slowest ÷ fastest process, ${name}`,
      value: Math.min(...turns) / Math.max(...turns),
      unit: '×',
      goal: { atLeast: 0.333 },
      detail: `${Math.min(...turns)} ÷ ${Math.max(...turns)} turns`,
    },
    {
      name: `event loop still, ${name}`,
      value: Math.max(...still),
      unit: 'ms',
      goal: { atMost: 100 },
      detail: `the longest of each process: ${still.map(short).join(', ')} ms`,
    },
  ];
}
