import { it } from 'vitest';
import { interleaveOn } from './kit/interleaving.ts';
import { describeEach, versionedStores } from './kit/stores-on-trial.ts';
import { countOf } from './scale.ts';

describeEach(versionedStores, 'families that several write to', ({ open }) => {
  it('show nothing that is not their own, lose nothing that is read, leave nothing unread', async () => {
    for (let seed = 1; seed <= countOf('networkInterleavings'); seed++) {
      await interleaveOn(20_000 + seed, open);
    }
  });
});
