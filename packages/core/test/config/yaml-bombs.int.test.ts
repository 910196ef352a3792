import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Outcome } from './bombs/read-all.ts';
import { bombs } from './bombs/texts.ts';

function readAll(...args: readonly string[]) {
  return spawnSync(
    process.execPath,
    [
      '--conditions=@lexigram/source',
      '--max-old-space-size=80',
      join(import.meta.dirname, 'bombs', 'read-all.ts'),
      ...args,
    ],
    { encoding: 'utf8', timeout: 50_000 },
  );
}

/** What is no bomb after all: short enough, empty, or a loop, which the field then refuses. */
const harmless = [
  'keys up to the limit',
  'a loop through a list',
  'a million spaces',
  'a million tabs',
];

describe('a file that is made to hurt', () => {
  it('is refused in well under a second, with little memory', () => {
    const { status, stderr, stdout } = readAll();
    expect(status, stderr).toBe(0);
    const outcomes: readonly Outcome[] = JSON.parse(stdout);
    expect(outcomes.map(({ name }) => name)).toEqual(Object.keys(bombs));
    for (const { cpuMs, issues, name } of outcomes) {
      expect(issues, name).toBeInstanceOf(Array);
      expect(cpuMs, name).toBeLessThan(1_000);
      if (harmless.includes(name)) expect(issues, name).toEqual([]);
      else expect(issues[0], name).toMatch(/^bomb\.yaml:\d+:\d+ /);
    }
  });

  it('would take the parser alone down', () => {
    expect(readAll('unbounded').status).not.toBe(0);
  });
});
