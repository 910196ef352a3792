import { bindLaws } from '@lexigram/ai-session-contract';
import { describe, it } from 'vitest';
import { openSqlite } from './kit/open-sqlite.ts';

bindLaws({ describe, it }, openSqlite);
