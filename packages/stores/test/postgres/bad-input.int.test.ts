import { bindBadInput } from '@lexigram/ai-session-contract/bad-input';
import { afterAll, describe, it } from 'vitest';
import { openPostgres } from '../kit/open-postgres.ts';

bindBadInput({ afterAll, describe, it }, openPostgres);
