import {
  createSessions,
  InMemorySessionStore,
  newSessionId,
  type Sessions,
} from '@lexigram/ai-session';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { secret } from './app.ts';
import type { Door, Running } from './door.ts';
import { type Answer, send } from './send.ts';
import { signed as signedBy } from './signed.ts';

/** What a source can say. `twice` is A and A for the header and the query, A and B for the cookie. */
const said = [
  'absent',
  'a',
  'b',
  'twice',
  'foreign',
  'unknown',
  'invalid',
  'empty',
  'expired',
  'closed',
] as const;
type Said = (typeof said)[number];
/** A cookie can be forged, too: signed by another key, or for another name. */
const saidByCookie = [
  ...said.filter((one) => one !== 'invalid' && one !== 'empty'),
  'forged',
  'other-name',
] as const;
type SaidByCookie = (typeof saidByCookie)[number];

interface Case {
  readonly header: Said;
  readonly query: Said;
  readonly cookie: SaidByCookie;
  readonly secure: boolean;
  readonly safe: boolean;
}

const cases: Case[] = said.flatMap((header) =>
  said.flatMap((query) =>
    saidByCookie.flatMap((cookie) =>
      [true, false].flatMap((secure) =>
        [true, false].map((safe) => ({ header, query, cookie, secure, safe })),
      ),
    ),
  ),
);

/** The rules once more, as plainly as they can be said: what a request that asks for its session is answered. */
function verdict({ cookie, header, query, safe }: Case): string {
  const broken = (source: Said): boolean => ['twice', 'invalid', 'empty'].includes(source);
  if (broken(header) || broken(query) || cookie === 'twice') return '400';
  const signed = !['absent', 'forged', 'other-name'].includes(cookie);
  if (query !== 'absent' && header !== 'absent' && query !== header) return '400';
  if (query !== 'absent' && signed && query !== cookie) return '400';
  const byName = header !== 'absent' ? header : signed ? 'absent' : query;
  if (byName !== 'absent') {
    if (byName === 'foreign' || byName === 'unknown') return '404';
    if (byName === 'expired' || byName === 'closed') return '410';
    return `200 ${byName}`;
  }
  if (signed && (cookie === 'a' || cookie === 'b')) return `200 ${cookie}`;
  return safe ? '400' : '200 new';
}

/** Each request of the table gets its verdict behind a door. */
export function tryVerdicts(open: Door): void {
  let sessions: Sessions;
  let running: Running;
  let now = Date.parse('2026-01-01T00:00:00.000Z');
  const ids = new Map<string, string>();

  beforeAll(async () => {
    const store = new InMemorySessionStore({ clock: () => now });
    sessions = await createSessions(
      { maxSessionsPerUser: 1_000_000, sessionTtl: 1_000 },
      { store },
    );
    const ada = sessions.as({ tenantId: 'acme', userId: 'ada' }).manager;
    ids.set('expired', (await ada.create()).sessionId);
    now += 1_000_000;
    ids.set('a', (await ada.create()).sessionId);
    ids.set('b', (await ada.create()).sessionId);
    ids.set('closed', (await ada.create()).sessionId);
    await ada.close(ids.get('closed') ?? '');
    const bob = sessions.as({ tenantId: 'acme', userId: 'bob' }).manager;
    ids.set('foreign', (await bob.create()).sessionId);
    ids.set('unknown', newSessionId());
    ids.set('invalid', 'no id at all!');
    ids.set('empty', '');
    running = await open(sessions);
  });
  afterAll(async () => {
    await running.close();
    await sessions.close();
  });

  function ask(one: Case): Promise<Answer> {
    const { cookie, header, query, safe, secure } = one;
    const idOf = (name: string): string => ids.get(name === 'twice' ? 'a' : name) ?? '';
    const headers: [string, string][] = [['x-user', 'ada']];
    if (secure) headers.push(['x-forwarded-proto', 'https']);
    if (header !== 'absent') headers.push(['x-session-id', idOf(header)]);
    if (header === 'twice') headers.push(['X-Session-ID', idOf(header)]);
    const cookieName = secure ? '__Host-lexigram_session' : 'lexigram_session';
    const signed = (name: string, key = secret, under = 'lexigram_session'): string => {
      return `${cookieName}=${signedBy(under, idOf(name), key)}`;
    };
    if (cookie === 'twice') headers.push(['cookie', `${signed('a')}; ${signed('b')}`]);
    else if (cookie === 'forged')
      headers.push(['cookie', signed('a', 'another key, of thirty-two bytes or more')]);
    else if (cookie === 'other-name') headers.push(['cookie', signed('a', secret, 'other')]);
    else if (cookie !== 'absent') headers.push(['cookie', `x=1; ${signed(cookie)}; y=2`]);
    const id = encodeURIComponent(idOf(query));
    const search =
      query === 'absent'
        ? ''
        : query === 'twice'
          ? `?session_id=${id}&session_id=${id}`
          : `?session_id=${id}`;
    return send(running.port, { method: safe ? 'GET' : 'POST', path: `/ask${search}`, headers });
  }

  it('each request of the table gets the same verdict', async () => {
    const known = new Map([...ids].map(([name, id]) => [id, name]));
    const wrong: string[] = [];
    for (const one of cases) {
      const answer = await ask(one);
      const name = known.get(`${answer.json.sessionId}`) ?? 'new';
      const got = answer.status === 200 ? `200 ${name}` : `${answer.status}`;
      if (got !== verdict(one)) wrong.push(`${JSON.stringify(one)}: ${got}, not ${verdict(one)}`);
      const fresh = got === '200 new';
      const cookieSet = answer.cookies.length > 0;
      if (cookieSet !== fresh) wrong.push(`${JSON.stringify(one)}: cookies ${answer.cookies}`);
      if (fresh && !rightCookie(answer.cookies[0] ?? '', one.secure)) {
        wrong.push(`${JSON.stringify(one)}: ${answer.cookies[0]}`);
      }
      if (fresh && answer.headers['cache-control'] !== 'no-store') {
        wrong.push(`${JSON.stringify(one)}: cache-control ${answer.headers['cache-control']}`);
      }
    }
    expect(wrong).toEqual([]);
  });
}

function rightCookie(cookie: string, secure: boolean): boolean {
  const [pair = '', ...flags] = cookie.split('; ');
  const name = secure ? '__Host-lexigram_session=' : 'lexigram_session=';
  const expected = ['Path=/', 'HttpOnly', 'SameSite=Lax', ...(secure ? ['Secure'] : [])];
  return (
    pair.startsWith(name) &&
    flags.toSorted().join() === expected.toSorted().join() &&
    cookie.length <= 4_096
  );
}
