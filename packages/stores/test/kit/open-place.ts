import type { SessionStore } from '@lexigram/ai-session';
import { openUrl } from './open-url.ts';

/** The store at a place that a test names: the path of a file, or a URL. */
export function openPlace(place: string): Promise<SessionStore> {
  return openUrl(/^[a-z]+:/.test(place) ? place : `sqlite:${place}`);
}
