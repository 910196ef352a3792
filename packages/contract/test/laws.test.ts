import { describe, it } from 'vitest';
import { bindLaws, type Deviation, type LawBench } from '../src/index.ts';
import { refused } from '../src/refusals.ts';
import { openMemory } from './memory.ts';

/** A closed store in memory answers nothing any more, and another one never heard of it. */
async function keepsNothing({ store }: LawBench): Promise<void> {
  await store.close();
  await refused(store.session('s'), 'unavailable', { reason: 'closed' });
}

const reason = 'what this store holds is gone when it is closed';

const deviations: readonly Deviation[] = [
  { law: 'persistence/all-there', reason, holds: keepsNothing },
  { law: 'persistence/goes-on', reason, holds: keepsNothing },
];

bindLaws({ describe, it }, openMemory, { deviations });
