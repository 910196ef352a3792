import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSessionConfig } from '../src/config/session-config.ts';
import { checkPrintable, isSessionId, kindOf, parseCheckpointId } from '../src/session/ids.ts';
import { parseCursor } from '../src/session/page.ts';
import { parseTime } from '../src/session/time.ts';

const source = join(import.meta.dirname, '../src');

/** Every regular expression that is written in the sources. */
function patternsOf(): readonly RegExp[] {
  const literal =
    /(?:[=(,:?]|=>|return)\s*\/((?:\\.|\[(?:\\.|[^\]\\\n])+\]|[^/\\[\n*])(?:\\.|\[(?:\\.|[^\]\\\n])+\]|[^/\\[\n])*)\/([dgimsuvy]*)/g;
  return globSync('**/*.ts', { cwd: source }).flatMap((file) => {
    const text = readFileSync(join(source, file), 'utf8').replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '');
    return [...text.matchAll(literal)].map(([, body, flags]) => new RegExp(body as string, flags));
  });
}

const size = 50_000;
const repeat = (unit: string): string => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);

/** Long texts that make a pattern go back again and again, if it can; most fail at their very end. */
const attacks: readonly string[] = [
  ...['a', '0', ' ', '-', '.c1', '\n', '\u0001', '\u0080', '😀', '1:1.', 'T00:00', 'Zz'].map(
    repeat,
  ),
  ...['a', '0', '=', 'a.c1'].map((unit) => `${repeat(unit)}!`),
  `${'a'.repeat(128)}.c${repeat('1')}`,
  `2026-03-01T09:30:00.${repeat('1')}Z`,
  `x${repeat(' ')}x`,
];

function timeOf(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 3; n++) {
    const begun = performance.now();
    run();
    best = Math.min(best, performance.now() - begun);
  }
  return best;
}

/** Twice the text may take four times as long on a busy machine; what is quadratic takes seconds. */
function expectLinear(run: (text: string) => void): void {
  for (const attack of attacks) {
    const once = timeOf(() => run(attack));
    const twice = timeOf(() => run(attack + attack));
    expect(twice, attack.slice(0, 20)).toBeLessThan(Math.max(8 * once, 250));
  }
}

const quietly = (run: (text: string) => unknown) => (text: string) => {
  try {
    run(text);
  } catch {
    // Most of these are refused; how long that takes is what counts.
  }
};

describe('time is linear in the length of a text', () => {
  const patterns = patternsOf();

  it('finds the patterns', () => {
    const found = patterns.map((pattern) => pattern.source);
    expect(found).toContain('^[A-Za-z0-9_-]{1,128}$');
    expect(found).toContain('\\p{Cc}');
    expect(found).toContain('^[\\x21-\\x7e]+$');
    expect(found.length).toBeGreaterThanOrEqual(8);
  });

  it.each(patterns)('%s', (pattern) => {
    expectLinear((text) =>
      text.replaceAll(new RegExp(pattern, `${pattern.flags.replace('g', '')}g`), ''),
    );
    expectLinear((text) => pattern.test(text));
  });

  it.each([
    ['isSessionId', isSessionId],
    ['parseCheckpointId', parseCheckpointId],
    ['parseTime', quietly((text) => parseTime(text, 'at'))],
    ['parseCursor', quietly((text) => parseCursor(text, 'sessions', ['time', 'sessionId']))],
    ['checkPrintable', quietly((text) => checkPrintable(text, 'x'))],
    ['kindOf', kindOf],
    ['the name of a cookie', quietly((text) => parseSessionConfig({ cookieName: text }))],
    ['the name of a header', quietly((text) => parseSessionConfig({ headerName: text }))],
    ['a misspelt field', quietly((text) => parseSessionConfig({ [text]: 1 }))],
  ] as const)('%s', (_, run) => expectLinear(run));
});
