import { describe } from 'vitest';
import type { Door } from './door.ts';
import { tryHostile } from './hostile.ts';
import { tryVerdicts } from './verdicts.ts';
import { tryVisitors } from './visitors.ts';

export { answerTo, app, preset, secret, userOf } from './app.ts';
export type { Door, DoorOptions, Running } from './door.ts';
export { type Answer, cookiesOf, send } from './send.ts';

/** Puts a door through everything. */
export function tryDoor(name: string, open: Door): void {
  describe(`behind ${name}`, () => {
    describe('verdicts', () => tryVerdicts(open));
    describe('visitors', () => tryVisitors(open));
    describe('hostile', () => tryHostile(open));
  });
}
