import { createSessions, type Sessions } from '@lexigram/ai-session';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Door, Running } from './door.ts';
import { send } from './send.ts';

/** What comes of an `authenticate` that fails, or answers what is no owner, behind a door. */
export function tryOwners(open: Door): void {
  let sessions: Sessions;
  let running: Running;
  let sessionId: string;

  beforeAll(async () => {
    sessions = await createSessions();
    ({ sessionId } = await sessions.manager.create({ tenantId: 'acme', userId: 'ada' }));
    running = await open(sessions);
  });
  afterAll(async () => {
    await running.close();
    await sessions.close();
  });

  it.each([
    ['!throws', 500],
    ['!rejects', 500],
    ['!number', 400],
    ['!empty', 400],
    ['!long', 400],
    ['!control', 400],
    ['!ill-formed', 400],
    ['!object', 400],
    ['!list', 400],
    ['!nothing', 400],
    ['!true', 400],
    ['!text', 400],
    ['!tenant', 400],
  ])('%s: nobody is let in, and no session is shown or made', async (user, status) => {
    for (const [method, path] of [
      ['GET', '/state'],
      ['POST', '/ask'],
    ] as const) {
      const headers = [
        ['x-user', user],
        ['x-session-id', sessionId],
      ] as const;
      const answer = await send(running.port, { method, path, headers });
      expect(answer.status).toBe(status);
      expect(answer.text).not.toContain(sessionId);
      expect(answer.cookies).toEqual([]);
      const without = await send(running.port, { method, path, headers: [['x-user', user]] });
      expect(without.status).toBe(status);
    }
    expect((await sessions.manager.list()).items.length).toBe(1);
  });
}
