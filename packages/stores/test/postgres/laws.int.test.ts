import { bindLaws } from '@lexigram/ai-session-contract';
import { describe, it } from 'vitest';
import { openPostgres } from '../kit/open-postgres.ts';

bindLaws({ describe, it }, openPostgres);
