import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Asked } from './absent/ask-prices.ts';

it('without the package of prices all works but what asks for it, which says what to install', () => {
  const script = join(import.meta.dirname, 'absent', 'ask-prices.ts');
  const args = ['--conditions=@lexigram/source', script];
  const asked: Asked = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  const { alone, nothing, ...missing } = asked;
  expect([nothing, alone]).toEqual(['0', '2']);
  for (const [way, said] of Object.entries(missing)) {
    expect(said, way).toContain('LEX_ERR_SES_020');
    expect(said, way).toContain('npm install @pydantic/genai-prices');
    expect(said, way).toContain('catalogue: false');
  }
  expect(Object.keys(missing)).toEqual(['true', 'table', 'cost', 'openPrices']);
});
