import { describe } from 'vitest';
import { tryAnswers } from './answers.ts';
import type { Door } from './door.ts';
import { tryHostile } from './hostile.ts';
import { tryOwners } from './owners.ts';
import { tryRawRequests } from './raw-requests.ts';
import { tryVerdicts } from './verdicts.ts';
import { tryVisitors } from './visitors.ts';

export { answerTo, app, odd, preset, secret, userOf } from './app.ts';
export type { Door, DoorOptions, Running } from './door.ts';
export { type Answer, cookiesOf, send } from './send.ts';

/** Puts a door through everything. */
export function tryDoor(name: string, open: Door): void {
  describe(`behind ${name}`, () => {
    describe('verdicts', () => tryVerdicts(open));
    describe('visitors', () => tryVisitors(open));
    describe('owners', () => tryOwners(open));
    describe('answers', () => tryAnswers(open));
    describe('raw requests', () => tryRawRequests(open));
    describe('hostile', () => tryHostile(open));
  });
}
