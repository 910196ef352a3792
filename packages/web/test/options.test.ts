import { createSessions, SessionConfigError } from '@lexigram/ai-session';
import { secret } from '@lexigram/ai-session-web-trials';
import { expect, it } from 'vitest';
import { sessionMiddleware as expressMiddleware } from '../src/express.ts';
import { sessionMiddleware as fastifyMiddleware } from '../src/fastify.ts';
import { sessionMiddleware as honoMiddleware } from '../src/hono.ts';
import { SessionMiddleware } from '../src/index.ts';
import { sessionMiddleware as nodeMiddleware } from '../src/node.ts';

const sessions = await createSessions();

it.each([
  ['no key', {}, ['secrets']],
  ['a short key', { secrets: [secret, 'short'] }, ['secrets[1]']],
  ['a key of another kind', { secrets: [42 as never] }, ['secrets[0]']],
  ['an unknown option', { secrets: [secret], cookiename: 'x' }, ['cookiename']],
  ['a prefix in the name', { secrets: [secret], cookieName: '__Host-x' }, ['cookieName']],
  ['a cookie that is none', { secrets: [secret], cookieName: 'a b' }, ['cookieName']],
  ['a header that is none', { secrets: [secret], headerName: 'a:b' }, ['headerName']],
  ['an unknown source', { secrets: [secret], sources: ['path' as never] }, ['sources']],
  [
    'an origin with a path',
    { secrets: [secret], allowedOrigins: ['https://a.example/x'] },
    ['allowedOrigins'],
  ],
  [
    'everything at once',
    { secrets: [], anonymous: 1 as never, trustProxy: 'yes' as never, cookieMaxAge: 0 },
    ['anonymous', 'cookieMaxAge', 'secrets', 'trustProxy'],
  ],
])('does not start with %s', (_, options, paths) => {
  let error: unknown;
  try {
    new SessionMiddleware(sessions, options);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(SessionConfigError);
  const { issues, message } = error as SessionConfigError;
  expect(issues.map(({ path }) => path).toSorted()).toEqual(paths);
  expect(message).not.toContain('short key');
});

it('starts without a key when cookies are off', () => {
  expect(() => new SessionMiddleware(sessions, { cookieName: null })).not.toThrow();
  expect(() => new SessionMiddleware(sessions, { sources: ['header', 'query'] })).not.toThrow();
});

it('takes options once: a middleware that is there already is handed in without', () => {
  const middleware = new SessionMiddleware<never>(sessions, { secrets: [secret] });
  for (const door of [nodeMiddleware, expressMiddleware, fastifyMiddleware, honoMiddleware]) {
    const open = door as (given: unknown, options?: object) => unknown;
    expect(() => open(middleware)).not.toThrow();
    expect(() => open(middleware, { createOnGet: true })).toThrow(SessionConfigError);
  }
});
