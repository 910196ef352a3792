import { it } from 'vitest';
import { interleaveOn } from '../kit/interleaving.ts';
import { openPostgres } from '../kit/open-postgres.ts';
import { countOf } from '../scale.ts';

it('in Postgres no history shows what is not its own, nothing read is lost, nothing unread is left', async () => {
  for (let seed = 1; seed <= countOf('interleavings') / 10; seed++) {
    await interleaveOn(20_000 + seed, openPostgres);
  }
});
