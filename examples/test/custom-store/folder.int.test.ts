import { bindLaws } from '@lexigram/ai-session-contract';
import { describe, it } from 'vitest';
import { openInFolder } from './open-keyv.ts';

/** The others differ in nothing but their keys' place, and are proved where it is quick. */
const only = ['persistence', 'append', 'round-trip'];

bindLaws({ describe, it }, openInFolder, { only });
