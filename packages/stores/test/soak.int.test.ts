import { writeSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Gauges, growing } from './kit/soak/gauges.ts';
import { type SoakReport, soak } from './kit/soak/soak.ts';
import { soakPlace } from './kit/soak/soak-places.ts';
import { describeEach, redis, storesOfOneServer } from './kit/stores-on-trial.ts';
import { countOf, isFull } from './scale.ts';

const asked = Number(process.env['LEX_TEST_SOAK_S'] ?? 0) * 1_000;
/** Too short for anything to be level. */
const shortMs = 45_000;

function tellOf({ gauges, ...report }: SoakReport, ms: number): string {
  const { acknowledged, checked, kills, lost, refusals, strikes } = report;
  const lines = gauges.names.map((name) => {
    const digits = ['latency', 'late', 'telling'].includes(name) ? 2 : 0;
    return `${name} ${gauges
      .thirds(name, ms)
      .map((value) => value.toFixed(digits))
      .join(' → ')}`;
  });
  const [first, , last] = gauges.thirds('latency', ms);
  return [
    `${ms / 1_000} s: ${acknowledged} turns acknowledged, ${lost} lost; ${checked} sessions looked at; ${kills} processes killed`,
    `an append at the end ÷ at the start: ${(last / first).toFixed(2)}`,
    `by thirds: ${lines.join('; ')}`,
    `refused: ${[...refusals].map(([name, count]) => `${name} ${count}`).join(', ')}`,
    ...strikes,
  ].join('\n');
}

/** Past Vitest, which keeps what a test says until it ends. */
function say(line: string): void {
  writeSync(2, `${line}\n`);
}

describeEach(storesOfOneServer, 'a soak', (kind) => {
  it('loses, doubles and leaves nothing, and does not grow with time', async ({ annotate }) => {
    const ms = asked || countOf('soakMs');
    const place = await soakPlace(kind, isFull || asked > 0);
    const tell = ms < shortMs ? undefined : (line: string) => say(`${kind.name}: ${line}`);
    const report = await soak({ ...place, ms, seed: 8, ...(tell && { tell }) });
    const told = tellOf(report, ms);
    tell?.(told);
    await annotate(told);
    expect(report.faults).toEqual([]);
    expect(report.checked).toBeGreaterThan(4);
    if (ms >= shortMs) expect(growing(report.gauges, ms)).toEqual([]);
  });
});

describeEach([redis], 'the same soak', (kind) => {
  it('finds a store that writes over what others wrote', async () => {
    const { url } = await soakPlace(kind, false);
    const report = await soak({ url, ms: 1_500, seed: 8, twin: 'without-version' });
    expect(report.faults).not.toEqual([]);
  });
});

it('what grows with time is told from what is level', () => {
  const ms = 90_000;
  const gauges = new Gauges();
  for (let at = 0; at < ms; at += 1_000) {
    gauges.note('heap', 20_000_000 + (at % 7_000) * 1_000, at);
    gauges.note('rss', 100_000_000 + at * 5_000, at);
    gauges.note('sockets', 3 + at / 2_000, at);
    gauges.note('bytes', at > 20_000 ? 90_000_000 : at * 4_500, at);
  }
  expect(growing(gauges, ms).map((line) => line.split(' ')[0])).toEqual(['rss', 'sockets']);
});
