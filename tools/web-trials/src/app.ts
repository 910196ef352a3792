import { isSessionError, type Sessions } from '@lexigram/ai-session';
import type { AiSession, Authenticated } from '@lexigram/ai-session-web';
import type { DoorOptions } from './door.ts';

/** What the application under test does, the same behind every door. */
export const app = {
  /** What the request is told without asking for a session. */
  state: (aiSession: AiSession, sessions: Sessions): object => ({
    sessionId: aiSession.sessionId,
    source: aiSession.source,
    status: aiSession.state?.status ?? null,
    anonymous: aiSession.owner.anonymous,
    bound: sessions.context.sessionId,
  }),
  ask: async (aiSession: AiSession, sessions: Sessions): Promise<object> => {
    const { sessionId, status } = await aiSession.getOrCreate();
    const { source } = aiSession;
    return { sessionId, status, source, bound: sessions.context.sessionId };
  },
  turn: async (aiSession: AiSession, content: string): Promise<object> => {
    const { sessionId } = await aiSession.getOrCreate();
    await aiSession.sessions.manager.addTurn(sessionId, { role: 'user', content });
    const { turns } = await aiSession.sessions.manager.getState(sessionId, { turns: 'all' });
    return { sessionId, contents: turns.map((turn) => turn.content) };
  },
};

/** Whoever the header `x-user` names; the application's own way to tell. After `!` it is out of order. */
export function userOf(
  header: string | null | undefined,
): Authenticated | null | Promise<Authenticated | null> {
  if (!header?.startsWith('!')) return header ? { tenantId: 'acme', userId: header } : null;
  return broken[header]?.() as Authenticated;
}

const broken: Readonly<Record<string, () => unknown>> = {
  '!throws': () => {
    throw new Error('the directory is down');
  },
  '!rejects': () => Promise.reject(new Error('the directory is down')),
  '!number': () => ({ tenantId: 'acme', userId: 42 }),
  '!empty': () => ({ tenantId: 'acme', userId: '' }),
  '!long': () => ({ tenantId: 'acme', userId: 'a'.repeat(10_000) }),
  '!control': () => ({ tenantId: 'acme', userId: 'ada\n' }),
  '!ill-formed': () => ({ tenantId: 'acme', userId: 'ada\ud800' }),
  '!object': () => ({ tenantId: 'acme', userId: { toString: () => 'ada' } }),
  '!list': () => ({ tenantId: 'acme', userId: ['ada'] }),
  '!nothing': () => ({}),
  '!true': () => true,
  '!text': () => 'ada',
  '!tenant': () => ({ tenantId: 5, userId: 'ada' }),
};

type Late = Pick<AiSession, 'getOrCreate'>;
const kept: Late[] = [];
const waiting: (() => void)[] = [];

async function codeOf(asked: Promise<unknown>): Promise<string> {
  const error: unknown = await asked.then(
    () => null,
    (one: unknown) => one,
  );
  return isSessionError(error) ? error.code : String(error);
}

/** Paths of what else the application does, told alike behind every door. */
export const odd: Readonly<
  Record<string, (aiSession: AiSession, sessions: Sessions) => object | Promise<object>>
> = {
  /** Ends its session in the middle, as another request may. */
  '/lose': async (aiSession, { manager }) => {
    const sessionId = aiSession.sessionId ?? '';
    await manager.close(sessionId);
    const closed = await codeOf(aiSession.getOrCreate());
    await manager.delete(sessionId);
    return { codes: [closed, await codeOf(aiSession.getOrCreate())] };
  },
  /** Keeps what it was given for later. */
  '/keep': (aiSession) => {
    kept.push(aiSession);
    return { kept: true };
  },
  '/late': async () => ({ code: await codeOf(kept.pop()?.getOrCreate() ?? Promise.resolve()) }),
  /** Two requests wait for each other, and the second one calls both back: so do pools that know no context. */
  '/pooled': (aiSession, sessions) =>
    new Promise((resolve, reject) => {
      waiting.push(() => {
        aiSession.getOrCreate().then(({ sessionId }) => {
          resolve({ sessionId, own: aiSession.sessionId, bound: sessions.context.sessionId });
        }, reject);
      });
      if (waiting.length > 1) for (const call of waiting.splice(0)) call();
    }),
};

export const secret = 'a key for tests, of thirty-two bytes or more';

/** What every door is opened with. */
export const preset: DoorOptions = { secrets: [secret], trustProxy: true };

/** The application's answer to a path; null for one that it does not have. */
export async function answerTo(
  path: string,
  aiSession: AiSession,
  sessions: Sessions,
  body: () => Promise<string>,
): Promise<object | null> {
  if (path === '/state') return app.state(aiSession, sessions);
  if (path === '/ask') return app.ask(aiSession, sessions);
  if (path === '/turn') return app.turn(aiSession, JSON.parse(await body()).content);
  return (await odd[path]?.(aiSession, sessions)) ?? null;
}
