import { createHmac } from 'node:crypto';

/** The value of a user's cookie, signed as the documents say; written apart from the code under test. */
export function signed(name: string, sessionId: string, key: string): string {
  const mac = createHmac('sha256', key).update(`${name}=${sessionId}.`).digest('base64url');
  return `${sessionId}..${mac}`;
}
