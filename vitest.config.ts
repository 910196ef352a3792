import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Tests read the packages' sources, so that none of them needs a build.
const source = '@lexigram/source';
// After it, Vite's own conditions for code that runs on Node.
const conditions = [source, 'module', 'node', 'development|production'];

// Workers, and the processes that tests start, compile a module once, and strip its types once.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/compiled');

const minute = 60_000;
// What is left out by name: the folders of tests that need a server of that name.
const without = (process.env['LEX_TEST_WITHOUT'] ?? '').split(',').filter(Boolean);
const scaled = process.env['LEX_TEST_SCALE'] !== undefined;

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'examples/test/**/*.test.ts',
      'tools/test/**/*.test.ts',
      'bench/test/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', ...without.map((name) => `**/test/**/${name}/**`)],
    globalSetup: ['@lexigram/ai-session-servers/vitest'],
    pool: 'forks',
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: scaled ? 30 * minute : 3 * minute,
    hookTimeout: 3 * minute,
    retry: 0,
    allowOnly: !process.env['CI'],
  },
});
