import type { Sessions } from '@lexigram/ai-session';
import type { PlainModel } from './model/session.ts';
import type { Names } from './names.ts';

/** What a call needs of the run that it belongs to: the services, and the model beside them. */
export interface Trial {
  readonly model: PlainModel;
  readonly names: Names;
  /** The services over the store as it is open now. */
  readonly sessions: Sessions;
  /** An id that no caller chose before. */
  newChosenId(of: 'session' | 'turn'): string;
}
