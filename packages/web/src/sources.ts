import { isSessionId } from '@lexigram/ai-session';
import { type CookieValue, cookieNameOn, openCookie, readCookies } from './cookie.ts';
import { type Exchange, queryOf } from './exchange.ts';
import type { SessionSource, Settings } from './options.ts';
import { type Rejection, reject } from './status.ts';

/** What a request says about its session. */
export interface Named {
  /** The id that counts, and where it came from. */
  readonly id: { readonly sessionId: string; readonly source: SessionSource } | null;
  /** The cookie, if its signature fits. */
  readonly cookie: CookieValue | null;
}

/**
 * Reads the sources: the header wins over the cookie; the query, which any link can set, has to agree with both. A
 * source that is given twice, or is no id, is refused; a cookie that nobody here signed counts for nothing.
 */
export function readSources(
  exchange: Exchange,
  settings: Pick<Settings<unknown>, 'headerName' | 'queryName' | 'cookieName' | 'secrets'>,
  secure: boolean,
): Named | Rejection {
  const header = settings.headerName === null ? null : exchange.header(settings.headerName);
  if (header !== null && !isSessionId(header)) {
    return bad(`the header ${settings.headerName} is no session id, or is given twice`);
  }
  const query = settings.queryName === null ? null : readQuery(exchange.url, settings.queryName);
  if (query !== null && typeof query !== 'string') return query;
  const cookie = readCookie(exchange, settings, secure);
  if (cookie !== null && 'status' in cookie) return cookie;

  if (query !== null && ((header ?? query) !== query || (cookie?.sessionId ?? query) !== query)) {
    return bad(`the parameter ${settings.queryName} differs from the header or the cookie`);
  }
  return { id: first(header, query, cookie), cookie };
}

function first(
  header: string | null,
  query: string | null,
  cookie: CookieValue | null,
): Named['id'] {
  if (header !== null) return { sessionId: header, source: 'header' };
  // A link to one's own session says no more than the cookie does.
  if (cookie !== null) return { sessionId: cookie.sessionId, source: 'cookie' };
  return query === null ? null : { sessionId: query, source: 'query' };
}

function readQuery(url: string, name: string): string | Rejection | null {
  const query = queryOf(url);
  for (const key of query.keys()) {
    if (key.startsWith(`${name}[`)) return bad(`the parameter ${name} is one value, no list`);
  }
  const values = query.getAll(name);
  if (values.length > 1) return bad(`the parameter ${name} is given twice`);
  const [value] = values;
  if (value === undefined) return null;
  return isSessionId(value) ? value : bad(`the parameter ${name} is no session id`);
}

function readCookie(
  exchange: Exchange,
  { cookieName, secrets }: Pick<Settings<unknown>, 'cookieName' | 'secrets'>,
  secure: boolean,
): CookieValue | Rejection | null {
  if (cookieName === null) return null;
  const name = cookieNameOn(secure, cookieName);
  const values = readCookies(exchange.header('cookie'), name);
  if (values.length > 1) return bad(`the cookie ${name} is given twice, with different values`);
  const [value] = values;
  return value === undefined ? null : openCookie(cookieName, value, secrets);
}

function bad(message: string): Rejection {
  return reject(400, 'bad_session_id', message);
}
