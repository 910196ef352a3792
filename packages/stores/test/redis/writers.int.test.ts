import { expect, it } from 'vitest';
import { ownRedisUrl } from '../kit/open-redis.ts';
import { storeAt } from '../kit/redis-of-test.ts';
import { writeSpread } from '../kit/write-spread.ts';
import { countOf } from '../scale.ts';

it('32 writers in four processes: no duplicate, no gap, no reorder, and each read a prefix', async () => {
  const url = await ownRedisUrl();
  const store = await storeAt(url);
  expect(await writeSpread(store, url, countOf('spreadTurns'))).toEqual([]);
});
