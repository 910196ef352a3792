import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as core from '@lexigram/ai-session';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'examples/custom-store/README.md',
  ...globSync('docs/*.md', { cwd: root }),
];

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n');
}

interface Block {
  readonly page: string;
  readonly language: string;
  readonly code: string;
}

const blocks: readonly Block[] = pages.flatMap((page) =>
  [...read(page).matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    page,
    language,
    code: code.trim(),
  })),
);

/** The `#region`s of the examples. */
const regions: ReadonlySet<string> = new Set(
  globSync('examples/{src,src/web,custom-store,nest}/*.ts', { cwd: root }).flatMap((path) =>
    [...read(path).matchAll(/^\/\/ #region \S+\n([\s\S]*?)^\/\/ #endregion$/gm)].map(
      ([, code = '']) => code.trim(),
    ),
  ),
);

/** The files that the examples read. */
const files: ReadonlySet<string> = new Set(
  globSync('examples/configuration/*.yaml', { cwd: root }).map((path) => read(path).trim()),
);

describe('the documents', () => {
  it('quote code from the examples, word for word', () => {
    // Statements of SQL are run by the tests of the store.
    const others = ['sh', 'sql', 'mermaid', 'text', ''];
    const code = blocks.filter(({ language }) => !others.includes(language));
    expect(code.length).toBeGreaterThan(10);
    for (const block of code) {
      expect(['ts', 'yaml'], block.page).toContain(block.language);
      const offered = block.language === 'ts' ? regions : files;
      expect(offered, `${block.page} quotes what no example has`).toContain(block.code);
    }
  });

  it('and all that the examples offer for it', () => {
    const quoted = new Set(blocks.map(({ code }) => code));
    for (const offered of [...regions, ...files]) expect(quoted).toContain(offered);
  });

  it('name scripts that there are', () => {
    const scripts = (path: string): object => JSON.parse(read(path)).scripts;
    for (const page of pages) {
      for (const [command, workspace, name] of read(page).matchAll(
        /\bnpm (?:run )?(?:-w (\S+) )?(start|test|(?<=run (?:-w \S+ )?)[\w:-]+)/g,
      )) {
        const where = workspace === undefined ? 'package.json' : `${workspace}/package.json`;
        expect(scripts(where), `${page}: ${command}`).toHaveProperty([name ?? '']);
      }
    }
  });
});

/** The cells of the rows of the table that has this heading as its first column. */
function table(page: string, firstColumn: string): string[][] {
  const lines = read(page).split('\n');
  const head = lines.findIndex((line) => line.startsWith(`| ${firstColumn} |`));
  const rows: string[][] = [];
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith('|')) break;
    rows.push(
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

const plain = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '');

describe('the README', () => {
  it('has every field of the configuration with its default', () => {
    const told = table('README.md', 'field').map(([field, value]) => [plain(field), plain(value)]);
    const is = Object.entries(core.parseSessionConfig({})).map(([field, value]) => [
      field,
      typeof value === 'string' ? `'${value}'` : String(value),
    ]);
    expect(told).toEqual(is);
  });

  it('has every error with its code', () => {
    const told = table('README.md', 'code').map(([code, name]) => [plain(code), name]);
    const classes = Object.entries(core).filter(
      ([name]) => name.endsWith('Error') && /^[A-Z]/.test(name),
    );
    const is = classes.map(([name, Class]) => {
      const made: { code: string } = Reflect.construct(Class as never, [[], '', '', {}]);
      return [made.code, name];
    });
    expect(told).toEqual(is.sort());
  });

  it('has every call that there is', async () => {
    await using sessions = await core.createSessions();
    const rows = table('README.md', 'on');
    let service = '';
    const told = new Set<string>();
    for (const [on, calls = ''] of rows) {
      if (on !== '') service = plain(on);
      for (const [, call = ''] of calls.matchAll(/`(\w+)/g)) told.add(`${service}.${call}`);
    }
    for (const name of [
      'manager',
      'checkpoints',
      'branches',
      'projection',
      'analytics',
      'context',
      'events',
      'cleanup',
      'memory',
    ] as const) {
      const prototype = Object.getPrototypeOf(sessions[name]);
      for (const call of Object.getOwnPropertyNames(prototype)) {
        if (call !== 'constructor') expect([...told]).toContain(`${name}.${call}`);
      }
    }
  });
});
