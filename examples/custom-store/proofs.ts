import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keyv } from 'keyv';
import { Folder } from './folder.ts';
import { openKeyvStore } from './keyv-store.ts';
import { MapEngine } from './map-engine.ts';

function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'own-store-'));
}

// #region laws
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { OrderedSessionStore } from '@lexigram/ai-session/store';
import { bindLaws, type LawBench, type OpenStore } from '@lexigram/ai-session-contract';

const openInMap: OpenStore = async ({ clock }) => {
  const store = await OrderedSessionStore.open(new MapEngine(), { clock });
  return { store, dispose: () => store.close() };
};

const gone = {
  reason: 'the rows are gone with the engine',
  holds: async ({ store }: LawBench) => {
    await store.close();
    await assert.rejects(store.session('s'), { reason: 'closed' });
  },
};

describe('rows in a map', () => {
  const laws = ['persistence/all-there', 'persistence/goes-on'];
  const deviations = laws.map((law) => ({ law, ...gone }));
  bindLaws({ describe, it }, openInMap, { deviations });
});

// #endregion

// #region proofs
import { openLasting } from '@lexigram/ai-session-contract';
import { bindBadInput } from '@lexigram/ai-session-contract/bad-input';
import { modelRunScale, runModel } from '@lexigram/ai-session-contract/model-run';

const openInFolder: OpenStore = async ({ clock }) => {
  const folder = await temporaryFolder();
  const open = () => openKeyvStore(new Keyv({ store: new Folder(folder) }), { clock });
  return openLasting(open, () => rm(folder, { recursive: true }));
};

describe('keys of a Keyv', () => {
  bindLaws({ describe, it }, openInFolder);
  bindBadInput({ describe, it, afterAll: after }, openInFolder);
  it('does what the model does', async () => {
    console.log(String(await runModel(openInFolder, modelRunScale(process.env))));
  });
});
// #endregion
