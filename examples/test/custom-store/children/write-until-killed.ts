// Writes turns and batches, and says what was acknowledged, until it is killed.
import { writeSync } from 'node:fs';
import { createSessions } from '@lexigram/ai-session';
import { Keyv } from 'keyv';
import { Folder } from '../../../custom-store/folder.ts';
import { openKeyvStore } from '../../../custom-store/keyv-store.ts';

/** A broken folder: it answers at once, and the files follow one after another. */
class WritesBehind extends Folder {
  readonly #behind = new Map<string, string>();
  #last: Promise<void> = Promise.resolve();

  override async get(key: string): Promise<string | undefined> {
    return this.#behind.get(key) ?? super.get(key);
  }

  override async setMany(entries: readonly { key: string; value: string }[]): Promise<void> {
    for (const { key, value } of entries) this.#behind.set(key, value);
    this.#last = this.#last.then(() => super.setMany(entries));
  }
}

const [path = '', round = '', twin] = process.argv.slice(2);
const folder = twin === 'writes-behind' ? new WritesBehind(path) : new Folder(path);
const store = await openKeyvStore(new Keyv({ store: folder }), { cachedPages: 20 });
const { manager } = await createSessions({ maxTurnsPerSession: 100_000 }, { store });
await manager.create({ userId: 'u', sessionId: 's', operationId: 'create' });

async function add(name: string, count: number): Promise<void> {
  const turns = Array.from({ length: count }, (_, i) => {
    const turnId = `${name}.${i}`;
    return { turnId, role: 'user', content: turnId, metadata: { name, count } } as const;
  });
  const added = await manager.addTurns('s', turns);
  for (const { seq, turnId } of added.turns) writeSync(1, `${seq} ${turnId}\n`);
}

for (let n = 0; ; n++) {
  // Some share a commit.
  await Promise.all([add(`${round}-${n}-a`, 1), add(`${round}-${n}-b`, 1 + (n % 4))]);
}
