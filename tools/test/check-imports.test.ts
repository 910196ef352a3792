import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { findFaults } from '../find-faults.ts';

type Files = Readonly<Record<string, string>>;

const manifest = (name: string, doors: Files) => JSON.stringify({ name, exports: doors });

const soundHouse: Files = {
  'packages/core/package.json': manifest('@house/core', {
    '.': './src/index.ts',
    './model': './src/model.ts',
  }),
  'packages/core/src/index.ts': "export * from './model.ts';\nexport { open } from './open.ts';",
  'packages/core/src/model.ts': "export { process } from './rules/process.ts';",
  'packages/core/src/rules/process.ts': 'export const process = () => ({ process: 1 }).process;',
  'packages/core/src/open.ts':
    "import 'node:fs';\nexport const open = () => import('@house/stores');",
  'packages/core/test/open.test.ts':
    "import { open } from '@house/core';\nimport '../src/open.ts';",
  'packages/stores/package.json': manifest('@house/stores', { '.': './src/index.ts' }),
  'packages/stores/src/index.ts': "export type { Rule } from '@house/core/model';",
  'examples/package.json': manifest('@house/examples', {}),
  'examples/src/tour.ts': "import '@house/core';\nimport '@house/stores';\n// import './gone.ts'",
};

const broken: readonly { rule: string; files: Files; fault: RegExp }[] = [
  {
    rule: 'an outward import',
    files: { 'packages/core/src/open.ts': "import '@house/stores';" },
    fault: /^packages\/core\/src\/open\.ts:1 packages\/core may not import packages\/stores/,
  },
  {
    rule: 'an outward import of types alone',
    files: { 'packages/core/src/open.ts': "\nimport type { S } from '@house/stores';" },
    fault: /^packages\/core\/src\/open\.ts:2 packages\/core may not import/,
  },
  {
    rule: 'an outward import from a test',
    files: { 'packages/stores/test/a.test.ts': "import '@house/examples';" },
    fault: /not a door of @house\/examples/,
  },
  {
    rule: 'an outward lazy import that is no named exception',
    files: {
      'packages/contract/package.json': manifest('@house/contract', { '.': './src/index.ts' }),
      'packages/contract/src/index.ts': "export const lazy = () => import('@house/stores');",
    },
    fault: /packages\/contract may not import packages\/stores/,
  },
  {
    rule: 'an outward name hidden in a variable',
    files: {
      'packages/contract/package.json': manifest('@house/contract', { '.': './src/index.ts' }),
      'packages/contract/src/index.ts':
        "const name = '@house/stores';\nexport const s = import(name);",
    },
    fault: /index\.ts:1 packages\/contract may not import packages\/stores/,
  },
  {
    rule: 'a deep import by name',
    files: { 'packages/stores/src/index.ts': "export * from '@house/core/src/open.ts';" },
    fault: /'@house\/core\/src\/open\.ts', which is not a door/,
  },
  {
    rule: 'a deep import by path',
    files: { 'packages/stores/src/index.ts': "export * from '../../core/src/open.ts';" },
    fault: /reaches out of its package/,
  },
  {
    rule: 'source that imports a test',
    files: { 'packages/stores/src/index.ts': "export * from '../test/fake.ts';" },
    fault: /which is not source/,
  },
  {
    rule: 'a package that imports itself by name',
    files: { 'packages/core/src/open.ts': "export * from '@house/core/model';" },
    fault: /its own package by name/,
  },
  {
    rule: 'a cycle of files',
    files: {
      'packages/core/src/open.ts': "export * from './a.ts';",
      'packages/core/src/a.ts': "export * from './b.ts';",
      'packages/core/src/b.ts': "export * from './open.ts';",
    },
    fault: /^import cycle: .*a\.ts → .*b\.ts → .*open\.ts → .*a\.ts$/,
  },
  {
    rule: 'a cycle of types',
    files: {
      'packages/core/src/open.ts': "export type A = import('./a.ts').B;",
      'packages/core/src/a.ts': "export type { A as B } from './open.ts';",
    },
    fault: /^import cycle/,
  },
  {
    rule: 'a node: module behind the portable door',
    files: {
      'packages/core/src/rules/process.ts': "import 'node:crypto';\nexport let process = 1;",
    },
    fault: /process\.ts:1 imports 'node:crypto', yet packages\/core\/src\/model\.ts reaches it/,
  },
  {
    rule: 'a global of Node behind the portable door',
    files: {
      'packages/core/src/model.ts': 'export const size = (s: string) => Buffer.from(s).length;',
    },
    fault: /uses a global of Node/,
  },
  {
    rule: 'a portable door that is gone',
    files: { 'packages/core/src/model.ts': '' },
    fault: /door is missing/,
  },
  {
    rule: 'Math.random in source',
    files: { 'packages/core/src/open.ts': 'export const dice = () => Math.random();' },
    fault: /open\.ts:1 uses Math\.random/,
  },
  {
    rule: 'an index.ts that is no door',
    files: { 'packages/core/src/rules/index.ts': "export * from './process.ts';" },
    fault: /index\.ts stands only at a door/,
  },
  {
    rule: 'a package without a place in the house',
    files: { 'packages/shed/package.json': manifest('@house/shed', {}) },
    fault: /^packages\/shed: not in the house/,
  },
];

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** Writes the files into a new folder; an empty text means that the file is left out. */
function build(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'lexigram-house-'));
  roots.push(root);
  for (const [path, text] of Object.entries(files)) {
    if (text === '') continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe('check-imports', () => {
  test('accepts a sound house', () => {
    expect(findFaults(build(soundHouse))).toEqual([]);
  });

  test.each(broken)('refuses $rule', ({ files, fault }) => {
    expect(findFaults(build({ ...soundHouse, ...files }))).toContainEqual(
      expect.stringMatching(fault),
    );
  });

  test('refuses a house without a source file', () => {
    expect(findFaults(build({ 'README.md': '#' }))).toContainEqual(
      expect.stringContaining('nothing was checked'),
    );
  });

  test('refuses a file that does not parse', () => {
    const root = build({ ...soundHouse, 'packages/core/src/open.ts': 'import {' });
    expect(() => findFaults(root)).toThrow(SyntaxError);
  });

  test('ends with a failing exit code', () => {
    const root = build({ ...soundHouse, 'packages/core/src/open.ts': "import '@house/stores';" });
    const tool = join(import.meta.dirname, '..', 'check-imports.ts');
    const { status, stderr } = spawnSync(process.execPath, [tool, root], { encoding: 'utf8' });
    expect(stderr).toContain('arrows point inward');
    expect(status).toBe(1);
  });
});
