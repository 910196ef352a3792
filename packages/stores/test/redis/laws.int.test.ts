import { bindLaws } from '@lexigram/ai-session-contract';
import { describe, it } from 'vitest';
import { openRedis } from '../kit/open-redis.ts';

bindLaws({ describe, it }, openRedis);
