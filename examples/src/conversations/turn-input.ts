/** What a session's `addTurn` takes. */
export type { TurnInput } from '@lexigram/ai-session';
