import { bindLaws } from '@lexigram/ai-session-contract';
import { describe, it } from 'vitest';
import { openInMap } from './open-keyv.ts';

bindLaws({ describe, it }, openInMap);
