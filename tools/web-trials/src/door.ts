import type { Sessions } from '@lexigram/ai-session';
import type { SessionMiddlewareOptions } from '@lexigram/ai-session-web';

/** An application that listens on a port of this machine. */
export interface Running {
  readonly port: number;
  close(): Promise<void>;
}

/** Options of the middleware; who asks is always told by the header `x-user`. */
export type DoorOptions = Omit<SessionMiddlewareOptions<never>, 'authenticate'>;

/** The application of `app.ts` behind one framework, on a free port. */
export type Door = (sessions: Sessions, options?: DoorOptions) => Promise<Running>;
