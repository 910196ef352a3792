import assert from 'node:assert/strict';
import { OrderedSessionStore } from '@lexigram/ai-session/store';
import { bindLaws, type LawBench } from '@lexigram/ai-session-contract';
import { describe, it } from 'vitest';
import { MapEngine } from '../../custom-store/map-engine.ts';

const gone = {
  reason: 'the rows are gone with the engine',
  holds: async ({ store }: LawBench) => {
    await store.close();
    await assert.rejects(store.session('s'), { reason: 'closed' });
  },
};

bindLaws(
  { describe, it },
  async ({ clock }) => {
    const store = await OrderedSessionStore.open(new MapEngine(), { clock });
    return { store, dispose: () => store.close() };
  },
  {
    deviations: ['persistence/all-there', 'persistence/goes-on'].map((law) => ({ law, ...gone })),
  },
);
