import type { SessionStore } from '@lexigram/ai-session';
import { openUrl } from './open-url.ts';

/** The store at a place that a test names: the path of a file, or a URL of Postgres or Redis. */
export function openPlace(place: string): Promise<SessionStore> {
  return openUrl(/^(postgres|redis)/.test(place) ? place : `sqlite:${place}`);
}
