import { expect, it } from 'vitest';
import { storeAt } from '../kit/redis-of-test.ts';
import { redis, redisCluster } from '../kit/stores-on-trial.ts';
import { writeSpread } from '../kit/write-spread.ts';
import { countOf } from '../scale.ts';

it.each([redis, redisCluster])(
  '32 writers in four processes on $name: no duplicate, no gap, no reorder, and each read a prefix',
  async (kind) => {
    const url = await kind.url('');
    const store = await storeAt(url);
    expect(await writeSpread(store, url, countOf('spreadTurns'))).toEqual([]);
  },
);
