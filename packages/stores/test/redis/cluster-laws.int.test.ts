import { bindLaws } from '@lexigram/ai-session-contract';
import { describe, it } from 'vitest';
import { openRedisCluster } from '../kit/open-redis.ts';

bindLaws({ describe, it }, openRedisCluster);
