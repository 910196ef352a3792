import { bindBadInput } from '@lexigram/ai-session-contract/bad-input';
import { afterAll, describe, it } from 'vitest';
import { openSqlite } from './kit/open-sqlite.ts';

bindBadInput({ afterAll, describe, it }, openSqlite);
