import { bindBadInput } from '@lexigram/ai-session-contract/bad-input';
import { afterAll, describe, it } from 'vitest';
import { openInMap } from './open-keyv.ts';

bindBadInput({ afterAll, describe, it }, openInMap);
