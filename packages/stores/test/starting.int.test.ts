import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { schemaVersion } from '../src/sqlite/schema.ts';
import { startChild } from './kit/children.ts';
import { faultsIn } from './kit/database-faults.ts';
import { query } from './kit/database-rows.ts';
import { temporaryFile } from './kit/folder.ts';
import { countOf } from './scale.ts';

it('many processes open an empty file at once: one of them makes the schema, none fails', async () => {
  const script = new URL('./children/open-together.ts', import.meta.url);
  const names = Array.from({ length: countOf('starters') }, (_, i) => `p${i + 1}`);
  const children = names.map((name) => startChild(script, [name]));
  for (const child of children) expect(await child.next()).toEqual({ did: 'load' });
  for (let run = 1; run <= countOf('starts'); run++) {
    const path = temporaryFile();
    writeFileSync(path, '');
    for (const child of children) child.say({ path });
    const said = await Promise.all(children.map((child) => child.next()));
    expect(said, `run ${run}`).toEqual(names.map(() => ({ did: 'write' })));
    expect(query(path, 'SELECT version FROM ai_schema')).toHaveLength(schemaVersion);
    const sessions = query<{ id: string }>(path, 'SELECT session_id AS id FROM ai_sessions');
    expect(sessions.map(({ id }) => id).sort()).toEqual(names.toSorted());
    expect(await faultsIn(path)).toEqual([]);
  }
});
