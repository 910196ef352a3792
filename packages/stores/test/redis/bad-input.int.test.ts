import { bindBadInput } from '@lexigram/ai-session-contract/bad-input';
import { afterAll, describe, it } from 'vitest';
import { openRedis } from '../kit/open-redis.ts';

bindBadInput({ afterAll, describe, it }, openRedis);
