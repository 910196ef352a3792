import { createHmac, timingSafeEqual } from 'node:crypto';
import { isSessionId } from '@lexigram/ai-session';

/** What the cookie says, once its signature fits. */
export interface CookieValue {
  readonly sessionId: string;
  /** The visitor without a name whose session it is; null for one that belongs to a user. */
  readonly visitor: string | null;
}

/** Values that browsers send, for one cookie's name; the same value twice is one. */
export function readCookies(header: string | null, name: string): readonly string[] {
  const values = new Set<string>();
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) values.add(pair.slice(at + 1).trim());
  }
  return [...values];
}

/** The name under which a cookie is set: on a secure connection one that no other host and no plain page can set. */
export function cookieNameOn(secure: boolean, name: string): string {
  return secure ? `__Host-${name}` : name;
}

/** `session.visitor.signature`, signed with HMAC-SHA256 under the cookie's name. */
export function signCookie(name: string, value: CookieValue, secret: Uint8Array): string {
  const payload = `${value.sessionId}.${value.visitor ?? ''}`;
  return `${payload}.${signature(name, payload, secret).toString('base64url')}`;
}

/** The value if one of the keys signed it, else null. It takes as long for a wrong signature as for a right one. */
export function openCookie(
  name: string,
  text: string,
  secrets: readonly Uint8Array[],
): CookieValue | null {
  if (text.length > maxLength) return null;
  const [sessionId = '', visitor = '', signed = '', ...more] = text.split('.');
  const given = Buffer.from(signed, 'base64url');
  if (more.length > 0 || given.length !== 32 || given.toString('base64url') !== signed) return null;
  let fits = false;
  for (const secret of secrets) {
    if (timingSafeEqual(signature(name, `${sessionId}.${visitor}`, secret), given)) fits = true;
  }
  if (!fits || !isSessionId(sessionId) || (visitor !== '' && !isSessionId(visitor))) return null;
  return { sessionId, visitor: visitor === '' ? null : visitor };
}

const maxLength = 512;

function signature(name: string, payload: string, secret: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(`${name}=${payload}`).digest();
}

/** A `Set-Cookie` header. */
export function setCookie(
  name: string,
  value: string,
  { maxAge, secure }: { readonly maxAge: number | null; readonly secure: boolean },
): string {
  const parts = [`${cookieNameOn(secure, name)}=${value}`, 'Path=/', 'HttpOnly', 'SameSite=Lax'];
  if (secure) parts.push('Secure');
  if (maxAge !== null) parts.push(`Max-Age=${maxAge}`);
  return parts.join('; ');
}
